DROP TABLE enrolment_withdrawals;
DROP TABLE title_resubmissions;
DROP TABLE title_returns;
DROP TABLE convention_reopenings;
DROP TABLE convention_refusals;
-- The program of before cannot read a declined convention: it is over all the same, with its day and reason.
UPDATE conventions SET state = 'cancelled' WHERE state = 'declined';
