DROP TABLE school_payers;
DROP TABLE schools;
DROP TABLE successions;
DROP TABLE collectivite_communes;
DROP TABLE collectivite_sirets;
DROP TABLE collectivites;
