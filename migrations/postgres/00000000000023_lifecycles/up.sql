-- What moves along a lifecycle moves along it for every program: a state changes by a step of its life, with the dates,
-- names and reasons of that step and no others, and what begins begins at its beginning.

-- Conventions: as in the drawing of their lifecycle. A signature comes with its step, and is corrected where it stands.
CREATE FUNCTION conventions_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'issued' OR NEW.signed_on IS NOT NULL OR NEW.signed_name IS NOT NULL OR NEW.signed_title IS NOT NULL
    OR NEW.signed_evidence IS NOT NULL OR NEW.countersigned_on IS NOT NULL OR NEW.countersigned_name IS NOT NULL
    OR NEW.countersigned_title IS NOT NULL OR NEW.took_effect_on IS NOT NULL OR NEW.exited_on IS NOT NULL
    OR NEW.exit_reason IS NOT NULL OR NEW.version <> 1 THEN
        RAISE EXCEPTION 'frozen: conventions refuses INSERT of what was not just issued' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER conventions_born BEFORE INSERT ON conventions FOR EACH ROW EXECUTE FUNCTION conventions_born();
CREATE FUNCTION conventions_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.party_fold IS DISTINCT FROM OLD.party_fold OR NEW.party_departement IS DISTINCT FROM OLD.party_departement OR NEW.version < OLD.version
    OR (NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN ('issued>signed', 'signed>active', 'active>expired', 'issued>declined', 'signed>declined', 'declined>issued', 'declined>signed', 'issued>cancelled', 'signed>cancelled', 'active>cancelled'))
    OR ((NEW.signed_on IS DISTINCT FROM OLD.signed_on OR NEW.signed_name IS DISTINCT FROM OLD.signed_name OR NEW.signed_title IS DISTINCT FROM OLD.signed_title OR NEW.signed_evidence IS DISTINCT FROM OLD.signed_evidence)
        AND (OLD.state || '>' || NEW.state) NOT IN ('issued>signed', 'signed>signed', 'active>active', 'expired>expired'))
    OR ((NEW.countersigned_on IS DISTINCT FROM OLD.countersigned_on OR NEW.countersigned_name IS DISTINCT FROM OLD.countersigned_name OR NEW.countersigned_title IS DISTINCT FROM OLD.countersigned_title OR NEW.took_effect_on IS DISTINCT FROM OLD.took_effect_on)
        AND (OLD.state || '>' || NEW.state) NOT IN ('signed>active', 'active>active', 'expired>expired'))
    OR (NEW.acknowledged IS DISTINCT FROM OLD.acknowledged AND (OLD.state || '>' || NEW.state)
        NOT IN ('issued>signed', 'signed>signed', 'signed>active', 'active>active', 'expired>expired', 'issued>declined', 'signed>declined'))
    OR ((NEW.exited_on IS DISTINCT FROM OLD.exited_on OR NEW.exit_reason IS DISTINCT FROM OLD.exit_reason) AND NEW.state = OLD.state)
    OR (NEW.signed_on IS NULL) <> (NEW.signed_name IS NULL) OR (NEW.signed_on IS NULL) <> (NEW.signed_title IS NULL)
    OR (NEW.signed_on IS NULL AND NEW.signed_evidence IS NOT NULL)
    OR (NEW.countersigned_on IS NULL) <> (NEW.countersigned_name IS NULL)
    OR (NEW.countersigned_on IS NULL) <> (NEW.countersigned_title IS NULL)
    OR (NEW.countersigned_on IS NULL) <> (NEW.took_effect_on IS NULL)
    OR (NEW.took_effect_on IS NOT NULL AND (NEW.signed_on IS NULL OR NEW.took_effect_on <>
        CASE WHEN NEW.signed_on > NEW.countersigned_on THEN NEW.signed_on ELSE NEW.countersigned_on END))
    OR (NEW.state = 'issued' AND NEW.signed_on IS NOT NULL)
    OR (NEW.state IN ('signed', 'active', 'expired') AND NEW.signed_on IS NULL)
    OR (NEW.state IN ('issued', 'signed', 'declined') AND NEW.took_effect_on IS NOT NULL)
    OR (NEW.state IN ('active', 'expired') AND NEW.took_effect_on IS NULL)
    OR (NEW.state IN ('issued', 'signed', 'active') AND (NEW.exited_on IS NOT NULL OR NEW.exit_reason IS NOT NULL))
    OR (NEW.state = 'expired' AND (NEW.exited_on IS NULL OR NEW.exit_reason IS NOT NULL))
    OR (NEW.state IN ('declined', 'cancelled') AND (NEW.exited_on IS NULL OR NEW.exit_reason IS NULL)) THEN
        RAISE EXCEPTION 'frozen: conventions refuses UPDATE out of turn' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER conventions_steps BEFORE UPDATE ON conventions FOR EACH ROW EXECUTE FUNCTION conventions_steps();

-- Titles: approved with their approval, transmitted with their batch, withdrawn with a reason.
CREATE FUNCTION perception_titles_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'prepared' OR NEW.reference IS NOT NULL OR NEW.exercice IS NOT NULL OR NEW.batch_id IS NOT NULL
    OR NEW.batch_number IS NOT NULL OR NEW.withdrawn_reason IS NOT NULL OR NEW.chorus_number IS NOT NULL
    OR NEW.chorus_issued_on IS NOT NULL OR NEW.withdrawn_at IS NOT NULL OR NEW.version <> 1
    OR NOT EXISTS (SELECT 1 FROM participations p WHERE p.id = NEW.participation_id AND p.convention_id = NEW.convention_id) THEN
        RAISE EXCEPTION 'frozen: perception_titles refuses INSERT of what was not just prepared' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER perception_titles_born BEFORE INSERT ON perception_titles FOR EACH ROW EXECUTE FUNCTION perception_titles_born();
CREATE FUNCTION perception_titles_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version < OLD.version
    OR ((NEW.state IS DISTINCT FROM OLD.state OR NEW.reference IS DISTINCT FROM OLD.reference OR NEW.exercice IS DISTINCT FROM OLD.exercice OR NEW.batch_id IS DISTINCT FROM OLD.batch_id OR NEW.batch_number IS DISTINCT FROM OLD.batch_number OR NEW.withdrawn_reason IS DISTINCT FROM OLD.withdrawn_reason OR NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at) AND NOT CASE NEW.state
        WHEN 'prepared' THEN NEW.reference IS NULL AND NEW.exercice IS NULL AND NEW.batch_id IS NULL
            AND NEW.batch_number IS NULL AND NEW.withdrawn_reason IS NULL AND NEW.withdrawn_at IS NULL
        WHEN 'approved' THEN NEW.batch_id IS NULL AND NEW.batch_number IS NULL AND NEW.withdrawn_reason IS NULL
            AND NEW.withdrawn_at IS NULL
            AND EXISTS (SELECT 1 FROM title_approvals a WHERE a.title_id = NEW.id AND a.reference = NEW.reference
                AND a.exercice = NEW.exercice)
        WHEN 'transmitted' THEN NEW.withdrawn_reason IS NULL AND NEW.withdrawn_at IS NULL
            AND EXISTS (SELECT 1 FROM accounting_batch_titles l JOIN accounting_batches b ON b.id = l.batch_id
                WHERE l.title_id = NEW.id AND b.id = NEW.batch_id AND b.number = NEW.batch_number)
        WHEN 'withdrawn' THEN NEW.batch_id IS NULL AND NEW.batch_number IS NULL AND NEW.withdrawn_reason IS NOT NULL
            AND NEW.withdrawn_at IS NOT NULL
            AND NOT (NEW.reference IS DISTINCT FROM OLD.reference) AND NOT (NEW.exercice IS DISTINCT FROM OLD.exercice)
        ELSE FALSE END) THEN
        RAISE EXCEPTION 'frozen: perception_titles refuses UPDATE without what its state rests on' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER perception_titles_shape BEFORE UPDATE ON perception_titles FOR EACH ROW EXECUTE FUNCTION perception_titles_steps();

-- Decisions: taken by an act, revoked whole.
CREATE FUNCTION small_claim_decisions_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.act_id IS NULL OR NEW.revoked_at IS NOT NULL OR NEW.revoked_by IS NOT NULL OR NEW.revoked_by_label IS NOT NULL
    OR NEW.revoked_reason IS NOT NULL OR NEW.revoked_origin IS NOT NULL
    OR NOT EXISTS (SELECT 1 FROM participations p WHERE p.id = NEW.participation_id AND p.convention_id = NEW.convention_id) THEN
        RAISE EXCEPTION 'frozen: small_claim_decisions refuses INSERT of what no act decided' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER small_claim_decisions_born BEFORE INSERT ON small_claim_decisions FOR EACH ROW EXECUTE FUNCTION small_claim_decisions_born();
CREATE FUNCTION small_claim_decisions_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revoked_at IS NULL OR NEW.revoked_by IS NULL OR NEW.revoked_by_label IS NULL OR NEW.revoked_reason IS NULL
    OR NEW.revoked_origin IS NULL THEN
        RAISE EXCEPTION 'frozen: small_claim_decisions refuses UPDATE of half a revocation' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER small_claim_decisions_steps BEFORE UPDATE ON small_claim_decisions FOR EACH ROW EXECUTE FUNCTION small_claim_decisions_steps();

-- Campaigns: tariff and dates from the opening, everything from the closing; deleted only before a convention is issued.
-- Texts of an open campaign move (corrected, written late): what was printed is sealed with each paper.
CREATE FUNCTION campaigns_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'preparing' OR NEW.opened_at IS NOT NULL OR NEW.closed_at IS NOT NULL OR NEW.version <> 1 THEN
        RAISE EXCEPTION 'frozen: campaigns refuses INSERT of what is not in preparation' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaigns_born BEFORE INSERT ON campaigns FOR EACH ROW EXECUTE FUNCTION campaigns_born();
CREATE FUNCTION campaigns_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM OLD.id OR NEW.school_year IS DISTINCT FROM OLD.school_year OR NEW.created_at IS DISTINCT FROM OLD.created_at OR NEW.version < OLD.version
    OR (NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN
        ('preparing>open', 'open>preparing', 'open>closed', 'closed>open'))
    OR (OLD.state = 'open' AND NEW.state = 'preparing' AND EXISTS (SELECT 1 FROM conventions v WHERE v.campaign_id = OLD.id))
    OR (OLD.state <> 'preparing' AND (NEW.tariff IS DISTINCT FROM OLD.tariff OR NEW.convention_date IS DISTINCT FROM OLD.convention_date OR NEW.ends_on IS DISTINCT FROM OLD.ends_on))
    OR (OLD.state = 'closed' AND (NEW.tariff IS DISTINCT FROM OLD.tariff OR NEW.convention_date IS DISTINCT FROM OLD.convention_date OR NEW.ends_on IS DISTINCT FROM OLD.ends_on OR NEW.response_deadline IS DISTINCT FROM OLD.response_deadline OR NEW.small_claims_policy IS DISTINCT FROM OLD.small_claims_policy OR NEW.small_claims_threshold_cents IS DISTINCT FROM OLD.small_claims_threshold_cents OR NEW.countersign_policy IS DISTINCT FROM OLD.countersign_policy OR NEW.texts IS DISTINCT FROM OLD.texts))
    OR (NEW.state = 'preparing') <> (NEW.opened_at IS NULL) OR (NEW.state = 'closed') <> (NEW.closed_at IS NOT NULL)
    OR (OLD.state <> 'preparing' AND NEW.state <> 'preparing' AND NEW.opened_at IS DISTINCT FROM OLD.opened_at)
    OR (NEW.state = OLD.state AND NEW.closed_at IS DISTINCT FROM OLD.closed_at) THEN
        RAISE EXCEPTION 'frozen: campaigns refuses UPDATE out of turn' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaigns_kept BEFORE UPDATE ON campaigns FOR EACH ROW EXECUTE FUNCTION campaigns_steps();
CREATE FUNCTION campaigns_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM conventions v WHERE v.campaign_id = OLD.id) THEN
        RAISE EXCEPTION 'frozen: campaigns refuses DELETE once a convention is issued' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER campaigns_stay BEFORE DELETE ON campaigns FOR EACH ROW EXECUTE FUNCTION campaigns_stay();
CREATE TRIGGER campaigns_stay_all BEFORE TRUNCATE ON campaigns FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
