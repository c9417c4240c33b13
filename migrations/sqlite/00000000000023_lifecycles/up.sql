-- What moves along a lifecycle moves along it for every program: a state changes by a step of its life, with the dates,
-- names and reasons of that step and no others, and what begins begins at its beginning.

-- Conventions: as in the drawing of their lifecycle. A signature comes with its step, and is corrected where it stands.
CREATE TRIGGER conventions_steps BEFORE UPDATE ON conventions WHEN
    NEW.party_fold IS NOT OLD.party_fold OR NEW.party_departement IS NOT OLD.party_departement OR NEW.version < OLD.version
    OR (NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN ('issued>signed', 'signed>active', 'active>expired', 'issued>declined', 'signed>declined', 'declined>issued', 'declined>signed', 'issued>cancelled', 'signed>cancelled', 'active>cancelled'))
    OR ((NEW.signed_on IS NOT OLD.signed_on OR NEW.signed_name IS NOT OLD.signed_name OR NEW.signed_title IS NOT OLD.signed_title OR NEW.signed_evidence IS NOT OLD.signed_evidence)
        AND (OLD.state || '>' || NEW.state) NOT IN ('issued>signed', 'signed>signed', 'active>active', 'expired>expired'))
    OR ((NEW.countersigned_on IS NOT OLD.countersigned_on OR NEW.countersigned_name IS NOT OLD.countersigned_name OR NEW.countersigned_title IS NOT OLD.countersigned_title OR NEW.took_effect_on IS NOT OLD.took_effect_on)
        AND (OLD.state || '>' || NEW.state) NOT IN ('signed>active', 'active>active', 'expired>expired'))
    OR (NEW.acknowledged IS NOT OLD.acknowledged AND (OLD.state || '>' || NEW.state)
        NOT IN ('issued>signed', 'signed>signed', 'signed>active', 'active>active', 'expired>expired', 'issued>declined', 'signed>declined'))
    OR ((NEW.exited_on IS NOT OLD.exited_on OR NEW.exit_reason IS NOT OLD.exit_reason) AND NEW.state = OLD.state)
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
    OR (NEW.state IN ('declined', 'cancelled') AND (NEW.exited_on IS NULL OR NEW.exit_reason IS NULL))
BEGIN
    SELECT RAISE(ABORT, 'frozen: conventions refuses UPDATE out of turn');
END;
CREATE TRIGGER conventions_born BEFORE INSERT ON conventions WHEN
    NEW.state <> 'issued' OR NEW.signed_on IS NOT NULL OR NEW.signed_name IS NOT NULL OR NEW.signed_title IS NOT NULL
    OR NEW.signed_evidence IS NOT NULL OR NEW.countersigned_on IS NOT NULL OR NEW.countersigned_name IS NOT NULL
    OR NEW.countersigned_title IS NOT NULL OR NEW.took_effect_on IS NOT NULL OR NEW.exited_on IS NOT NULL
    OR NEW.exit_reason IS NOT NULL OR NEW.version <> 1
BEGIN
    SELECT RAISE(ABORT, 'frozen: conventions refuses INSERT of what was not just issued');
END;

-- Titles: approved with their approval, transmitted with their batch, withdrawn with a reason.
CREATE TRIGGER perception_titles_shape BEFORE UPDATE ON perception_titles WHEN
    NEW.version < OLD.version
    OR ((NEW.state IS NOT OLD.state OR NEW.reference IS NOT OLD.reference OR NEW.exercice IS NOT OLD.exercice OR NEW.batch_id IS NOT OLD.batch_id OR NEW.batch_number IS NOT OLD.batch_number OR NEW.withdrawn_reason IS NOT OLD.withdrawn_reason OR NEW.withdrawn_at IS NOT OLD.withdrawn_at) AND NOT CASE NEW.state
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
            AND NOT (NEW.reference IS NOT OLD.reference) AND NOT (NEW.exercice IS NOT OLD.exercice)
        ELSE FALSE END)
BEGIN
    SELECT RAISE(ABORT, 'frozen: perception_titles refuses UPDATE without what its state rests on');
END;
CREATE TRIGGER perception_titles_born BEFORE INSERT ON perception_titles WHEN
    NEW.state <> 'prepared' OR NEW.reference IS NOT NULL OR NEW.exercice IS NOT NULL OR NEW.batch_id IS NOT NULL
    OR NEW.batch_number IS NOT NULL OR NEW.withdrawn_reason IS NOT NULL OR NEW.chorus_number IS NOT NULL
    OR NEW.chorus_issued_on IS NOT NULL OR NEW.withdrawn_at IS NOT NULL OR NEW.version <> 1
    OR NOT EXISTS (SELECT 1 FROM participations p WHERE p.id = NEW.participation_id AND p.convention_id = NEW.convention_id)
BEGIN
    SELECT RAISE(ABORT, 'frozen: perception_titles refuses INSERT of what was not just prepared');
END;

-- Decisions: taken by an act, revoked whole.
CREATE TRIGGER small_claim_decisions_steps BEFORE UPDATE ON small_claim_decisions WHEN
    NEW.revoked_at IS NULL OR NEW.revoked_by IS NULL OR NEW.revoked_by_label IS NULL OR NEW.revoked_reason IS NULL
    OR NEW.revoked_origin IS NULL
BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_decisions refuses UPDATE of half a revocation');
END;
CREATE TRIGGER small_claim_decisions_born BEFORE INSERT ON small_claim_decisions WHEN
    NEW.act_id IS NULL OR NEW.revoked_at IS NOT NULL OR NEW.revoked_by IS NOT NULL OR NEW.revoked_by_label IS NOT NULL
    OR NEW.revoked_reason IS NOT NULL OR NEW.revoked_origin IS NOT NULL
    OR NOT EXISTS (SELECT 1 FROM participations p WHERE p.id = NEW.participation_id AND p.convention_id = NEW.convention_id)
BEGIN
    SELECT RAISE(ABORT, 'frozen: small_claim_decisions refuses INSERT of what no act decided');
END;

-- Campaigns: tariff and dates from the opening, everything from the closing; deleted only before a convention is issued.
-- Texts of an open campaign move (corrected, written late): what was printed is sealed with each paper.
CREATE TRIGGER campaigns_kept_update BEFORE UPDATE ON campaigns WHEN
    NEW.id IS NOT OLD.id OR NEW.school_year IS NOT OLD.school_year OR NEW.created_at IS NOT OLD.created_at OR NEW.version < OLD.version
    OR (NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state) NOT IN
        ('preparing>open', 'open>preparing', 'open>closed', 'closed>open'))
    OR (OLD.state = 'open' AND NEW.state = 'preparing' AND EXISTS (SELECT 1 FROM conventions v WHERE v.campaign_id = OLD.id))
    OR (OLD.state <> 'preparing' AND (NEW.tariff IS NOT OLD.tariff OR NEW.convention_date IS NOT OLD.convention_date OR NEW.ends_on IS NOT OLD.ends_on))
    OR (OLD.state = 'closed' AND (NEW.tariff IS NOT OLD.tariff OR NEW.convention_date IS NOT OLD.convention_date OR NEW.ends_on IS NOT OLD.ends_on OR NEW.response_deadline IS NOT OLD.response_deadline OR NEW.small_claims_policy IS NOT OLD.small_claims_policy OR NEW.small_claims_threshold_cents IS NOT OLD.small_claims_threshold_cents OR NEW.countersign_policy IS NOT OLD.countersign_policy OR NEW.texts IS NOT OLD.texts))
    OR (NEW.state = 'preparing') <> (NEW.opened_at IS NULL) OR (NEW.state = 'closed') <> (NEW.closed_at IS NOT NULL)
    OR (OLD.state <> 'preparing' AND NEW.state <> 'preparing' AND NEW.opened_at IS NOT OLD.opened_at)
    OR (NEW.state = OLD.state AND NEW.closed_at IS NOT OLD.closed_at)
BEGIN
    SELECT RAISE(ABORT, 'frozen: campaigns refuses UPDATE out of turn');
END;
CREATE TRIGGER campaigns_kept_delete BEFORE DELETE ON campaigns WHEN
    EXISTS (SELECT 1 FROM conventions v WHERE v.campaign_id = OLD.id)
BEGIN
    SELECT RAISE(ABORT, 'frozen: campaigns refuses DELETE once a convention is issued');
END;
CREATE TRIGGER campaigns_born BEFORE INSERT ON campaigns WHEN
    NEW.state <> 'preparing' OR NEW.opened_at IS NOT NULL OR NEW.closed_at IS NOT NULL OR NEW.version <> 1
BEGIN
    SELECT RAISE(ABORT, 'frozen: campaigns refuses INSERT of what is not in preparation');
END;
CREATE TRIGGER campaigns_no_replace BEFORE INSERT ON campaigns WHEN
    EXISTS (SELECT 1 FROM campaigns t WHERE t.id = NEW.id)
    OR EXISTS (SELECT 1 FROM campaigns t WHERE t.school_year = NEW.school_year)
    OR EXISTS (SELECT 1 FROM campaigns t WHERE t.rowid = NEW.rowid)
BEGIN
    SELECT RAISE(ABORT, 'frozen: campaigns refuses REPLACE');
END;
CREATE TRIGGER campaigns_no_replace_update BEFORE UPDATE ON campaigns WHEN
    NEW.rowid IS NOT OLD.rowid
BEGIN
    SELECT RAISE(ABORT, 'frozen: campaigns refuses REPLACE');
END;
