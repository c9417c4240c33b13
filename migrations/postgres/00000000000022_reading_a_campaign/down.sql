DROP INDEX conventions_sums;
DROP INDEX conventions_number;
