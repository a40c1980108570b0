-- Moments in milliseconds since 1970 as texts, in their order.
SELECT to_char(to_timestamp(m.at / 1000.0), 'YYYY-MM-DD HH24:MI:SS') AS at
FROM unnest($1::bigint[]) WITH ORDINALITY AS m(at, place) ORDER BY m.place
