\echo Use "ALTER EXTENSION orchestrator_schema UPDATE TO '0.1.5'" to load this file. \quit

-- 0.1.4 -> 0.1.5: configuration, stored as text that must parse as its declared type.
-- Locks no existing object. Rows kept by an earlier downgrade are restored.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- Locks every table that the update needs, before anything else.
SELECT orchestrator.begin_upgrade('0.1.5');

-- This function pins no search_path: it looks up no name, and a CHECK runs it per row.
CREATE FUNCTION orchestrator.is_valid_configuration(value text, value_type text)
RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'is_valid_configuration_wrapper';
REVOKE ALL ON FUNCTION orchestrator.is_valid_configuration(text, text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.is_valid_configuration(text, text) IS
    'Whether a text is a value of that type: string, integer, float, boolean or json';

CREATE TABLE orchestrator.configurations (
    key         text        PRIMARY KEY,
    value       text        NOT NULL,
    value_type  text        NOT NULL DEFAULT 'string',
    description text,
    is_secret   boolean     NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT configurations_key_check        CHECK (btrim(key) <> ''),
    CONSTRAINT configurations_value_type_check CHECK (value_type IN ('string', 'integer', 'float', 'boolean', 'json')),
    CONSTRAINT configurations_value_check      CHECK (orchestrator.is_valid_configuration(value, value_type))
);
COMMENT ON TABLE orchestrator.configurations IS 'Settings of the orchestrator; configuration_value reads one, configuration_listing lists all';
COMMENT ON COLUMN orchestrator.configurations.value IS 'The value as text, which must parse as value_type';
COMMENT ON COLUMN orchestrator.configurations.is_secret IS 'Whether listings mask the value; it is stored in plain text';
COMMENT ON COLUMN orchestrator.configurations.value_type IS 'Type of the value. string: any text; integer: a whole number; float: a number; boolean: true or false; json: a JSON document';

SELECT orchestrator.restore_table('orchestrator.configurations');

CREATE INDEX idx_configurations_type    ON orchestrator.configurations (value_type);
CREATE INDEX idx_configurations_secret  ON orchestrator.configurations (is_secret);
CREATE INDEX idx_configurations_updated ON orchestrator.configurations (updated_at);

SELECT pg_extension_config_dump('orchestrator.configurations', '');

CREATE VIEW orchestrator.configuration_listing WITH (security_barrier = true) AS
SELECT c.key,
       CASE WHEN c.is_secret THEN '********' ELSE c.value END AS value,
       c.value_type, c.description, c.is_secret, c.created_at, c.updated_at
FROM orchestrator.configurations AS c;
COMMENT ON VIEW orchestrator.configuration_listing IS 'Every setting, with the values of secrets masked';

CREATE FUNCTION orchestrator.set_configuration(key text, value text, value_type text DEFAULT NULL, description text DEFAULT NULL, is_secret boolean DEFAULT NULL)
RETURNS orchestrator.configurations
LANGUAGE c VOLATILE PARALLEL UNSAFE
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'set_configuration_wrapper';
REVOKE ALL ON FUNCTION orchestrator.set_configuration(text, text, text, text, boolean) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.set_configuration(text, text, text, text, boolean) IS
    'Sets a new or existing setting. Returns the row. NULL keeps its type, description or secrecy';

CREATE FUNCTION orchestrator.get_configuration(key text)
RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'get_configuration_wrapper';
REVOKE ALL ON FUNCTION orchestrator.get_configuration(text) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.get_configuration(text) IS
    'The value of a setting as text; an unknown key is an error';

CREATE FUNCTION orchestrator.configuration_value(key text, fallback jsonb DEFAULT NULL)
RETURNS jsonb
LANGUAGE c STABLE PARALLEL RESTRICTED
SET search_path TO pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configuration_value_wrapper';
REVOKE ALL ON FUNCTION orchestrator.configuration_value(text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION orchestrator.configuration_value(text, jsonb) IS
    'The value of a setting as JSON of its type; for an unknown key the fallback, or an error without one';
