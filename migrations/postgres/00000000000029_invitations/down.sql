DROP TABLE lost_links;
DROP TABLE invitation_sessions;
DROP TABLE invitation_uses;
DROP TABLE invitations;
