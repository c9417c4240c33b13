-- The signatures that a living title states do not move; a title moves along its lifecycle, one step at a time.
CREATE TRIGGER conventions_signatures_kept BEFORE UPDATE ON conventions WHEN
    (NEW.signed_on IS NOT OLD.signed_on OR NEW.signed_name IS NOT OLD.signed_name OR NEW.signed_title IS NOT OLD.signed_title OR NEW.signed_evidence IS NOT OLD.signed_evidence OR NEW.countersigned_on IS NOT OLD.countersigned_on OR NEW.countersigned_name IS NOT OLD.countersigned_name OR NEW.countersigned_title IS NOT OLD.countersigned_title OR NEW.took_effect_on IS NOT OLD.took_effect_on)
    AND EXISTS (SELECT 1 FROM perception_titles t WHERE t.convention_id = OLD.id AND t.state NOT IN ('withdrawn', 'rejected'))
BEGIN
    SELECT RAISE(ABORT, 'frozen: conventions refuses UPDATE of signatures that a title states');
END;
CREATE TRIGGER perception_titles_steps BEFORE UPDATE ON perception_titles WHEN NEW.state <> OLD.state AND
    (OLD.state || '>' || NEW.state) NOT IN ('prepared>approved', 'prepared>withdrawn', 'approved>transmitted', 'approved>withdrawn')
BEGIN
    SELECT RAISE(ABORT, 'frozen: perception_titles refuses UPDATE to a state out of turn');
END;
