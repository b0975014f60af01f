-- Recipients of messages of their own within the range who opened and clicked nothing within it, machines left out.
SELECT
    recipient,
    count(DISTINCT CASE WHEN type = 'Send' THEN message_id END) AS messages,
    max(CASE WHEN type = 'Send' THEN sent_at END) AS last_sent
FROM events
WHERE
    occurred_at >= ? AND occurred_at < ?
    AND destination_count = 1
    AND (type = 'Send' OR (type IN ('Open', 'Click') AND machine IS NULL))
GROUP BY recipient
HAVING count_if(type = 'Send') > 0 AND count_if(type <> 'Send') = 0
ORDER BY recipient
