INSERT INTO users (id, email, role, first_name, last_name, password_hash, active, version, created_at, updated_at)
VALUES ('u', 'u@exemple.invalid', 'ordonnateur', 'A', 'B', '-', TRUE, 1, '2025-06-05 08:00:00', '2025-06-05 08:00:00');
INSERT INTO audit_events (id, at, action, version, subject_kind, subject_id, subject_key, data)
VALUES ('e', '2025-06-05 08:00:00', 'x', 0, 'user', 'u', 'u', '{}');
INSERT INTO collectivites (id, siret, siren, kind, name, name_fold, person_fields, version, created_at, updated_at)
VALUES ('c', '21300278500011', '213002785', 'commune', 'X', 'x', '[]', 1, '2025-06-05 08:00:00', '2025-06-05 08:00:00');
INSERT INTO schools (uai, name, name_fold, kind, sector, insee_code, commune_name, commune_fold, departement, closed_on, person_fields, version, created_at, updated_at)
VALUES ('0300001A', 'X', 'x', 'primaire', 'public', '30278', 'X', 'x', '30', '2025-01-01', '[]', 1, '2025-06-05 08:00:00', '2025-06-05 08:00:00');
INSERT INTO campaigns (id, school_year, state, tariff, convention_date, ends_on, small_claims_policy, countersign_policy, version, created_at, updated_at)
VALUES ('k', '2025-2026', 'preparing', '{}', '2025-06-05', '2026-09-05', 'issue', 'record', 1, '2025-06-05 08:00:00', '2025-06-05 08:00:00');
INSERT INTO conventions (id, campaign_id, collectivite_id, sequence, number, number_rank, state, party, party_siret, party_fold, school_count, total_cents, ends_on, issued_by, issued_at, acknowledged, version, updated_at)
VALUES ('v', 'k', 'c', 1, 'N', 1, 'issued', '{}', '21300278500011', 'x', 1, 4000, '2026-09-05', 'A B', '2025-06-05 08:00:00', '[]', 1, '2025-06-05 08:00:00');
INSERT INTO papers (subject_kind, subject_id, kind, version, content, content_sha256, template_sha256, attached, status, changed_at)
VALUES ('convention', 'v', 'convention', 1, '{}', 'DIGEST', 'DIGEST', FALSE, 'pending', '2025-06-05 08:00:00');
INSERT INTO participations (id, convention_id, version, total_cents, tariff, steps, computed_at)
VALUES ('p', 'v', 1, 4000, '{}', '[]', '2025-06-05 08:00:00');
INSERT INTO participation_lines (participation_id, position, uai, name, label, kind, insee_code, commune_name, departement, quantity, unit_amount_cents, amount_cents)
VALUES ('p', 1, '0300001A', 'X', 'X', 'primaire', '30278', 'X', '30', 1, 4000, 4000);
INSERT INTO convention_seals (participation_id, sha256) VALUES ('p', 'DIGEST');
INSERT INTO accounting_batches (id, number, number_rank, campaign_id, exercice, nature, comptable, title_count, total_cents, content_sha256, sealed_by, sealed_by_label, sealed_at)
VALUES ('b', 'B', 1, 'k', 2025, 'issue', '{}', 1, 4000, 'DIGEST', 'u', 'A B', '2025-06-05 08:00:00');
INSERT INTO accounting_batch_files (batch_id, format, sha256, length) VALUES ('b', 'csv', 'DIGEST', 1);
INSERT INTO perception_titles (id, campaign_id, convention_id, convention_rank, participation_id, debtor_id, debtor_siret, kind, state, amount_cents, debtor, ground, small_claim, flagged, threshold_cents, findings, prepared_by, prepared_by_label, prepared_at, version, updated_at)
VALUES ('t', 'k', 'v', 1, 'p', 'c', '21300278500011', 'initial', 'prepared', 4000, '{}', '{}', TRUE, FALSE, 5000, '[]', 'u', 'A B', '2025-06-05 08:00:00', 1, '2025-06-05 08:00:00');
INSERT INTO title_lines (title_id, position, uai, label, commune_name, departement, quantity, unit_amount_cents, amount_cents)
VALUES ('t', 1, '0300001A', 'X', 'X', '30', 1, 4000, 4000);
INSERT INTO title_approvals (title_id, reference, exercice, number_rank, approved_by, approver, approved_on, approved_at, content_sha256)
VALUES ('t', 'R', 2025, 1, 'u', '{}', '2025-06-05', '2025-06-05 08:00:00', 'DIGEST');
INSERT INTO accounting_batch_signatures VALUES ('b', 1, '2025-06-05', 'A B', 'SG', NULL, NULL, 'u', 'A B', '2025-06-05 08:00:00');
INSERT INTO accounting_batch_titles (batch_id, position, title_id) VALUES ('b', 1, 't');
INSERT INTO small_claim_acts (id, number, exercice, number_rank, campaign_id, threshold_cents, claim_count, total_cents, reason, decided_by, decided_by_label, decided_on, decided_at, content_sha256)
VALUES ('a', 'D', 2025, 1, 'k', 5000, 1, 4000, 'x', 'u', 'A B', '2025-06-05', '2025-06-05 08:00:00', 'DIGEST');
INSERT INTO convention_refusals (id, convention_id, declined_on, declined_by, reason, recorded_by_label, recorded_at)
VALUES ('r', 'v', '2025-06-05', 'A B', 'x', 'A B', '2025-06-05 08:00:00');
INSERT INTO convention_reopenings (refusal_id, reason, reopened_by_label, reopened_at)
VALUES ('r', 'x', 'A B', '2025-06-05 08:00:00');
INSERT INTO title_returns (id, title_id, reason, returned_by, returned_by_label, returned_at)
VALUES ('r', 't', 'x', 'u', 'A B', '2025-06-05 08:00:00');
INSERT INTO title_resubmissions (return_id, reason, resubmitted_by, resubmitted_by_label, resubmitted_at)
VALUES ('r', 'x', 'u', 'A B', '2025-06-05 08:00:00');
INSERT INTO enrolment_withdrawals (campaign_id, uai, rank, withdrawn_by_label, withdrawn_at)
VALUES ('k', '0300001A', 1, 'A B', '2025-06-05 08:00:00');
INSERT INTO enrolment_reinstatements (campaign_id, uai, rank, reinstated_by_label, reinstated_at)
VALUES ('k', '0300001A', 1, 'A B', '2025-06-05 08:00:00');
INSERT INTO line_decisions (convention_id, uai, choice, reason, decided_by, decided_by_label, decided_at, version)
VALUES ('v', '0300001A', 'keep', 'x', 'u', 'A B', '2025-06-05 08:00:00', 1);
INSERT INTO stored_files (sha256, media_type, length, created_at) VALUES ('DIGEST', 'application/pdf', 1, '2025-06-05 08:00:00');
INSERT INTO stored_file_parts (sha256, position, part_sha256) VALUES ('DIGEST', 0, 'DIGEST');
INSERT INTO attachments (id, subject_kind, subject_id, purpose, media_type, sha256, length, given_sha256, scan, attached_by_label, attached_at)
VALUES ('a', 'convention', 'v', 'x', 'application/pdf', 'DIGEST', 1, 'DIGEST', 'none', 'A B', '2025-06-05 08:00:00');
INSERT INTO attachment_sources (attachment_id, position, media_type, sha256, length) VALUES ('a', 1, 'image/png', 'DIGEST', 1);
INSERT INTO attachment_detachments (attachment_id, reason, detached_by_label, detached_at)
VALUES ('a', 'x', 'A B', '2025-06-05 08:00:00');
INSERT INTO eliminations (id, at, entry, term, signed_by, capacity, reason, row_count, oldest_on)
VALUES ('l', '2025-06-05 08:00:00', 'sessions', '12 mois', 'A B', 'x', 'x', 1, '2025-06-05');
INSERT INTO elimination_rows (elimination_id, table_name, row_key) VALUES ('l', 'sessions', 's');
INSERT INTO mail_templates (kind, version, source, reason, author, created_at) VALUES ('x.y', 1, 'x', 'x', 'A B', '2025-06-05 08:00:00');
