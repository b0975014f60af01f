-- What happened to one message, in the order of time.
SELECT
    occurred_at AS time,
    type AS event,
    recipient,
    concat_ws(
        ' ',
        nullif(bounce_type, ''),
        nullif(subtype, ''),
        nullif(feedback_type, ''),
        status,
        diagnostic_code,
        json_extract_scalar(details, '$.smtpResponse'),
        json_extract_scalar(details, '$.delayType'),
        json_extract_scalar(details, '$.reason'),
        json_extract_scalar(details, '$.errorMessage'),
        json_extract_scalar(details, '$.contactList'),
        link
    ) AS details,
    machine,
    ip_address,
    user_agent
FROM events
WHERE sent_at >= ? AND sent_at < ? AND message_id = ?
ORDER BY occurred_at, type, recipient
