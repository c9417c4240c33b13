-- The signatures that a living title states do not move; a title moves along its lifecycle, one step at a time.
CREATE FUNCTION refuse_out_of_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'conventions' THEN
        IF (NEW.signed_on IS DISTINCT FROM OLD.signed_on OR NEW.signed_name IS DISTINCT FROM OLD.signed_name OR NEW.signed_title IS DISTINCT FROM OLD.signed_title OR NEW.signed_evidence IS DISTINCT FROM OLD.signed_evidence OR NEW.countersigned_on IS DISTINCT FROM OLD.countersigned_on OR NEW.countersigned_name IS DISTINCT FROM OLD.countersigned_name OR NEW.countersigned_title IS DISTINCT FROM OLD.countersigned_title OR NEW.took_effect_on IS DISTINCT FROM OLD.took_effect_on)
            AND EXISTS (SELECT 1 FROM perception_titles t WHERE t.convention_id = OLD.id AND t.state NOT IN ('withdrawn', 'rejected')) THEN
            RAISE EXCEPTION 'frozen: conventions refuses UPDATE of signatures that a title states';
        END IF;
    ELSIF NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN ('prepared>approved', 'prepared>withdrawn', 'approved>transmitted', 'approved>withdrawn') THEN
        RAISE EXCEPTION 'frozen: perception_titles refuses UPDATE to a state out of turn';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER conventions_signatures_kept BEFORE UPDATE ON conventions FOR EACH ROW EXECUTE FUNCTION refuse_out_of_turn();
CREATE TRIGGER perception_titles_steps BEFORE UPDATE ON perception_titles FOR EACH ROW EXECUTE FUNCTION refuse_out_of_turn();
