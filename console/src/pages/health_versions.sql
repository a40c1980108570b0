-- The installed version, the one that an update leads to, and the server's.
SELECT e.extversion AS installed, a.default_version, left(current_setting('server_version'), 100) AS server
FROM pg_extension AS e LEFT JOIN pg_available_extensions AS a ON a.name = e.extname WHERE e.extname = 'orchestrator_schema'
