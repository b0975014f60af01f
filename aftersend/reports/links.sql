-- How often each link of the messages with a tag was clicked.
SELECT
    link,
    count(*) AS clicks,
    count(DISTINCT message_and_recipient) AS recipients,
    count_if(machine IS NOT NULL) AS machine
FROM events
WHERE sent_at >= ? AND sent_at < ? AND contains(element_at(tags, ?), ?) AND type = 'Click'
GROUP BY link
ORDER BY clicks DESC, link
