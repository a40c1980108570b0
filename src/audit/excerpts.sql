SELECT pg_catalog.jsonb_object_agg(m.key, CASE WHEN m.fits THEN m.value ELSE m.cut END)
       || CASE WHEN pg_catalog.bool_and(m.fits) THEN '{}'
               ELSE pg_catalog.jsonb_build_object('excerpts', pg_catalog.jsonb_agg(m.key) FILTER (WHERE NOT m.fits)) END
FROM (SELECT e.key, e.value, pg_catalog.length(e.value #>> '{}') <= $2 AS fits,
             CASE WHEN pg_catalog.jsonb_typeof(e.value) = 'array'
                  THEN (SELECT pg_catalog.jsonb_agg(CASE WHEN pg_catalog.length(l.element #>> '{}') <= $2 / 10 THEN l.element
                                ELSE pg_catalog.to_jsonb(pg_catalog.left(l.element #>> '{}', $2 / 10) || '...') END ORDER BY l.place)
                        FROM pg_catalog.jsonb_array_elements(pg_catalog.jsonb_path_query_array(e.value, '$[0 to 9]'))
                             WITH ORDINALITY AS l (element, place))
                  ELSE pg_catalog.to_jsonb(pg_catalog.left(e.value #>> '{}', $2) || '...') END AS cut
      FROM pg_catalog.jsonb_each($1) AS e) AS m
