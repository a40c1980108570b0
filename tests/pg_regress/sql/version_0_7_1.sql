\i head.sql
