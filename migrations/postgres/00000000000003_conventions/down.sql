DROP TABLE participation_lines;
DROP TABLE participations;
DROP TABLE enrolments;
DROP TABLE conventions;
DROP TABLE campaigns;
