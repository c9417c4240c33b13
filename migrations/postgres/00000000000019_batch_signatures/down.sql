DROP TRIGGER accounting_batch_progress_steps ON accounting_batch_progress;
DROP FUNCTION refuse_batch_out_of_turn();
UPDATE accounting_batch_progress SET state = 'sealed' WHERE state = 'signed';
DROP TABLE accounting_batch_signatures;
