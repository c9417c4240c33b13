DROP TABLE line_decisions;
ALTER TABLE small_claim_decisions
    DROP COLUMN updated_at,
    DROP COLUMN revoked_origin,
    DROP COLUMN revoked_reason,
    DROP COLUMN revoked_by_label,
    DROP COLUMN origin,
    DROP COLUMN act_id;
DROP TABLE small_claim_papers;
DROP TABLE small_claim_acts;

-- A line that was no product of a price gets the price 0 there; only this change is let through.
ALTER TABLE title_lines DISABLE TRIGGER title_lines_frozen;
UPDATE title_lines SET unit_amount_cents = 0 WHERE unit_amount_cents IS NULL;
ALTER TABLE title_lines ENABLE TRIGGER title_lines_frozen;
ALTER TABLE title_lines DROP COLUMN waiver;
ALTER TABLE title_lines ALTER COLUMN unit_amount_cents SET NOT NULL;
ALTER TABLE participation_lines DISABLE TRIGGER participation_lines_frozen;
UPDATE participation_lines SET unit_amount_cents = 0 WHERE unit_amount_cents IS NULL;
ALTER TABLE participation_lines ENABLE TRIGGER participation_lines_frozen;
ALTER TABLE participation_lines DROP COLUMN waiver;
ALTER TABLE participation_lines ALTER COLUMN unit_amount_cents SET NOT NULL;
