\i head.sql
-- Ten pairs of enum types of a live system, as its report lists them.
CREATE SCHEMA shop;
CREATE TYPE shop.contact_curation_status AS ENUM ('New', 'Queued', 'Processing', 'Complete', 'Error', 'Skipped');
CREATE TYPE shop.contactcurationstatus AS ENUM ('New', 'Queued', 'Processing', 'Complete', 'Error', 'Skipped');
CREATE TYPE shop.contact_email_type_enum AS ENUM ('SERVICE', 'CORPORATE', 'FREE', 'UNKNOWN');
CREATE TYPE shop.contactemailtypeenum AS ENUM ('SERVICE', 'CORPORATE', 'FREE', 'UNKNOWN');
CREATE TYPE shop.contact_processing_status AS ENUM ('Queued', 'Processing', 'Complete', 'Error');
CREATE TYPE shop.contactprocessingstatus AS ENUM ('Queued', 'Processing', 'Complete', 'Error');
CREATE TYPE shop.crm_sync_status AS ENUM ('New', 'Selected', 'Queued', 'Processing', 'Complete', 'Error', 'Ignored');
CREATE TYPE shop.brevo_sync_status AS ENUM ('New', 'Queued', 'Processing', 'Complete', 'Error', 'Ignored');
CREATE TYPE shop.hubspot_sync_processing_status AS ENUM ('Waiting', 'Working', 'Done');
CREATE TYPE shop.hubsyncprocessingstatus AS ENUM ('Waiting', 'Working', 'Done');
CREATE TYPE shop.hubspot_sync_status AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g');
CREATE TYPE shop.hubotsyncstatus AS ENUM ('a', 'b', 'c', 'd', 'e', 'f');
CREATE TYPE shop.sitemap_file_status_enum AS ENUM ('Pending', 'Completed');
CREATE TYPE shop.sitemapfilestatusenum AS ENUM ('New', 'Complete');
CREATE TYPE shop.sitemapimportcurationstatus AS ENUM ('i', 'j');
CREATE TYPE shop.sitemapimportcurationstatusenum AS ENUM ('i', 'j');
CREATE TYPE shop.sitemapimportprocessingstatus AS ENUM ('k', 'l', 'm');
CREATE TYPE shop.sitemapimportprocessstatusenum AS ENUM ('k', 'l', 'm');
CREATE TYPE shop.sitemap_curation_status AS ENUM ('n', 'o');
CREATE TYPE shop.sitemap_curation_status_enum AS ENUM ('p', 'q');
SELECT enum_a, enum_b, reason, round(similarity::numeric, 2), only_in_a, only_in_b FROM orchestrator.enum_duplicates() ORDER BY enum_a COLLATE "C", enum_b COLLATE "C";
-- Labels that differ by one letter count as a typo; another share can be requested; types without a common label do not overlap.
CREATE SCHEMA typo;
CREATE TYPE typo.job_status AS ENUM ('x1');
CREATE TYPE typo.job_statsu AS ENUM ('x2');
CREATE TYPE typo."Job_Status_ENUM" AS ENUM ('x3');
SELECT enum_a, enum_b, reason FROM orchestrator.enum_duplicates() WHERE enum_a LIKE 'typo%' ORDER BY enum_a COLLATE "C", enum_b COLLATE "C";
SELECT count(*) FROM orchestrator.enum_duplicates(1.0);
SELECT count(*) FROM orchestrator.enum_duplicates(0.0);
SELECT pg_temp.refusal('SELECT * FROM orchestrator.enum_duplicates(1.01)');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.enum_duplicates(-0.1)');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.enum_duplicates(''NaN'')');
SELECT pg_temp.refusal('SELECT * FROM orchestrator.enum_duplicates(''infinity'')');
-- The columns that use them: directly, as an array, through a domain; and not twice for a partition.
CREATE DOMAIN shop.curated AS shop.contact_curation_status;
CREATE TABLE shop.contacts (id integer PRIMARY KEY, curation_status shop.contact_curation_status, history shop.contact_curation_status[], checked shop.curated) PARTITION BY RANGE (id);
CREATE TABLE shop.contacts_1 PARTITION OF shop.contacts FOR VALUES FROM (0) TO (1000);
CREATE TABLE shop."Old contacts" ("the status" shop.contactcurationstatus);
SELECT schema_name, enum_name, labels, used_by, use_count, hidden_uses FROM orchestrator.enum_usage WHERE use_count > 0 ORDER BY enum_name COLLATE "C";
-- Dependencies of tables: depth, keys of several columns, a table that refers to itself, a circle.
CREATE TABLE shop.countries (code text PRIMARY KEY);
CREATE TABLE shop.cities (country text REFERENCES shop.countries, name text, PRIMARY KEY (country, name));
CREATE TABLE shop.streets (name text PRIMARY KEY, country text, city text, FOREIGN KEY (country, city) REFERENCES shop.cities (country, name), home text REFERENCES shop.countries);
CREATE TABLE shop.staff (id integer PRIMARY KEY, boss integer REFERENCES shop.staff);
CREATE TABLE shop.hen (id integer PRIMARY KEY, egg integer);
CREATE TABLE shop.egg (id integer PRIMARY KEY, hen integer REFERENCES shop.hen);
ALTER TABLE shop.hen ADD FOREIGN KEY (egg) REFERENCES shop.egg;
SELECT from_table, from_columns, to_table, to_columns, depth, in_cycle FROM orchestrator.table_dependencies WHERE from_table LIKE 'shop.%' ORDER BY constraint_name COLLATE "C";
-- Snapshots: definitions and figures under a unique label.
SELECT orchestrator.capture_snapshot('before V7') IS NOT NULL;
SELECT label, taken_by = session_user, jsonb_typeof(catalog), length(fingerprint) FROM orchestrator.schema_snapshots;
SELECT k.key FROM orchestrator.schema_snapshots AS s, jsonb_object_keys(s.catalog) AS k (key) ORDER BY 1;
SELECT k.key FROM orchestrator.schema_snapshots AS s, jsonb_object_keys(s.metrics) AS k (key) ORDER BY 1;
SELECT k.key FROM orchestrator.schema_snapshots AS s, jsonb_object_keys(s.metrics #> '{tables,shop.staff}') AS k (key) ORDER BY 1;
SELECT s.catalog #> '{enums,shop.contact_curation_status}' FROM orchestrator.schema_snapshots AS s;
SELECT s.catalog #> '{columns,"shop.contacts.checked"}', s.catalog #> '{constraints,shop.egg.egg_hen_fkey}' FROM orchestrator.schema_snapshots AS s;
SELECT pg_temp.refusal($$SELECT orchestrator.capture_snapshot('before V7')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.capture_snapshot(' ')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.capture_snapshot(NULL)$$);
SELECT pg_temp.refusal($$SELECT orchestrator.capture_snapshot(repeat('x', 501))$$);
SELECT pg_temp.refusal($$SELECT orchestrator.capture_snapshot('x', '{}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.capture_snapshot('x', '{shop,NULL}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.capture_snapshot('x', '{shop,nowhere}')$$);
SELECT pg_temp.refusal($$SELECT orchestrator.capture_snapshot('x', '{pg_catalog}')$$);
-- A second one of the same schema has the same fingerprint, and nothing differs.
SELECT orchestrator.capture_snapshot('before V7, again') IS NOT NULL;
SELECT count(DISTINCT s.fingerprint) FROM orchestrator.schema_snapshots AS s;
SELECT * FROM orchestrator.compare_snapshots('before V7', 'before V7, again');
-- Added, removed and changed objects are found.
ALTER TABLE shop.countries ADD COLUMN name text DEFAULT 'x';
ALTER TABLE shop.staff ALTER COLUMN boss SET NOT NULL;
ALTER TYPE shop.sitemap_curation_status ADD VALUE 'r' BEFORE 'o';
DROP TABLE shop."Old contacts";
CREATE INDEX boss ON shop.staff (boss);
CREATE VIEW shop.bosses AS SELECT boss FROM shop.staff;
CREATE FUNCTION shop.f(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION shop.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER noted BEFORE INSERT ON shop.staff FOR EACH ROW EXECUTE FUNCTION shop.note();
ALTER TABLE shop.egg DROP CONSTRAINT egg_hen_fkey;
SELECT orchestrator.capture_snapshot('after a day') IS NOT NULL;
-- Servers before 16 print a column with its table's name.
SELECT object, change, was, regexp_replace(replace(now, 'staff.boss', 'boss'), 'BODY \w+', 'BODY …') FROM orchestrator.compare_snapshots('before V7', 'after a day');
CREATE OR REPLACE FUNCTION shop.f(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 1';
ALTER TABLE shop.staff DISABLE TRIGGER noted;
-- Snapshots of one schema: only objects of schemas that both contain are compared.
SELECT orchestrator.capture_snapshot('shop', '{shop}') IS NOT NULL;
SELECT object, change FROM orchestrator.compare_snapshots('after a day', 'shop');
SELECT object, change FROM orchestrator.compare_snapshots('shop', 'after a day');
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.compare_snapshots('before V7', 'nothing')$$);
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.compare_snapshots(NULL, 'x')$$);
SELECT pg_temp.refusal($$SELECT * FROM orchestrator.compare_snapshots('x', NULL)$$);
-- A role that may see less gets a notice, and no call fails.
CREATE ROLE inspection_guest;
GRANT USAGE ON SCHEMA orchestrator TO inspection_guest;
GRANT SELECT, INSERT ON orchestrator.schema_snapshots TO inspection_guest;
GRANT SELECT ON orchestrator.enum_usage, orchestrator.table_dependencies TO inspection_guest;
GRANT EXECUTE ON FUNCTION orchestrator.capture_snapshot, orchestrator.compare_snapshots, orchestrator.enum_duplicates, orchestrator.uuidv7 TO inspection_guest;
CREATE SCHEMA secret;
CREATE TYPE secret.job_status AS ENUM ('x1');
GRANT USAGE ON SCHEMA shop TO inspection_guest;
GRANT SELECT ON shop.countries, shop.cities TO inspection_guest;
SET ROLE inspection_guest;
SELECT orchestrator.capture_snapshot('by a guest', '{shop,secret,typo}') IS NOT NULL;
SELECT s.catalog -> 'schemas', s.catalog -> 'skipped', ARRAY(SELECT jsonb_object_keys(s.catalog -> 'tables')) FROM orchestrator.schema_snapshots AS s WHERE s.label = 'by a guest';
SELECT from_table, to_table, depth FROM orchestrator.table_dependencies;
SELECT enum_name, used_by, hidden_uses FROM orchestrator.enum_usage WHERE use_count + hidden_uses > 0;
SELECT count(*) FROM orchestrator.enum_duplicates() WHERE enum_a LIKE 'secret%';
RESET ROLE;
SELECT count(*) > 0 FROM orchestrator.compare_snapshots('shop', 'by a guest');
DROP OWNED BY inspection_guest;
DROP ROLE inspection_guest;
-- Before V7 its names must be free. The underscore is not a wildcard here.
ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.0';
CREATE TABLE shop.v7x_orders (id integer);
CREATE TABLE shop."V7_orders" (id integer);
SELECT * FROM orchestrator.v7_verify_preconditions();
SELECT * FROM orchestrator.v7_verify_rollback();
CREATE TABLE shop.v7_orders (id integer PRIMARY KEY, v7_x integer);
CREATE VIEW orchestrator.v7_migration_workflow AS SELECT 1;
CREATE FUNCTION orchestrator.v7_start_phase(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
ALTER TABLE orchestrator.file_audit ADD COLUMN v7_target_name text;
SELECT * FROM orchestrator.v7_verify_preconditions();
SELECT * FROM orchestrator.v7_verify_rollback();
-- Each hint is the statement that removes the object.
ALTER TABLE orchestrator.file_audit DROP COLUMN v7_target_name;
DROP FUNCTION orchestrator.v7_start_phase(integer);
DROP VIEW orchestrator.v7_migration_workflow;
DROP TABLE shop.v7_orders;
SELECT bool_and(passed) FROM orchestrator.v7_verify_preconditions();
SELECT bool_and(passed) FROM orchestrator.v7_verify_rollback();
ALTER EXTENSION orchestrator_schema UPDATE;
SELECT * FROM orchestrator.verify();
