DROP TABLE accounting_batch_titles;
DROP TABLE small_claim_decisions;
DROP TABLE title_approvals;
DROP TABLE title_lines;
DROP TABLE perception_titles;
DROP TABLE accounting_batch_files;
DROP TABLE accounting_batch_progress;
DROP TABLE accounting_batches;
