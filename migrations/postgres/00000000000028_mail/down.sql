DROP TABLE mail_templates;
DROP TABLE mail_blocks;
DROP TABLE email_attempts;
DROP TABLE email_dossiers;
DROP TABLE emails;
DROP TABLE mail_gate;
DROP TABLE base_lives;
