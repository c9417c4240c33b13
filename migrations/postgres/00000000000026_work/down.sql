DROP TABLE act_items;
DROP TABLE acts;
DROP TABLE tasks;
