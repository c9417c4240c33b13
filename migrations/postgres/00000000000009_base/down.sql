DROP TABLE write_probe;
DROP TABLE base_identity;
