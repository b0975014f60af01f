-- Who clicked what in the messages with a tag. Of a message with several recipients, nobody knows who it was.
SELECT
    recipient,
    link,
    count(*) AS clicks,
    count_if(machine IS NOT NULL) AS machine,
    min(occurred_at) AS first_click,
    max(occurred_at) AS last_click
FROM events
WHERE sent_at >= ? AND sent_at < ? AND contains(element_at(tags, ?), ?) AND type = 'Click'
GROUP BY recipient, link
ORDER BY recipient, link
