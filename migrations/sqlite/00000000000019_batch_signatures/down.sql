DROP TRIGGER accounting_batch_progress_steps;
UPDATE accounting_batch_progress SET state = 'sealed' WHERE state = 'signed';
DROP TABLE accounting_batch_signatures;
