DROP TRIGGER perception_titles_steps ON perception_titles;
DROP TRIGGER conventions_signatures_kept ON conventions;
DROP FUNCTION refuse_out_of_turn();
