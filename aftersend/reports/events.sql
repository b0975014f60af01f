-- The beginning of every report: the events of the archive, each once, under the natural keys of aftersend/ledger.py.
-- A line that is no JSON has null in every field, and no event. Times are texts of one format, which sort by time.
WITH record AS (
    SELECT
        json_extract_scalar(record, '$.eventType') AS type,
        json_extract_scalar(record, '$.mail.messageId') AS message_id,
        json_extract_scalar(record, '$.mail.timestamp') AS sent_at,
        TRY_CAST(json_extract(record, '$.mail.tags') AS map(varchar, array(varchar))) AS tags,
        coalesce(TRY_CAST(json_extract(record, '$.mail.destination') AS array(json)), CAST(ARRAY[] AS array(json)))
            AS destination,
        coalesce(
            json_extract(record, '$.bounce'),
            json_extract(record, '$.complaint'),
            json_extract(record, '$.delivery'),
            json_extract(record, '$.deliveryDelay'),
            json_extract(record, '$.open'),
            json_extract(record, '$.click'),
            json_extract(record, '$.subscription'),
            json_extract(record, '$.reject'),
            json_extract(record, '$.failure')
        ) AS details
    FROM records
    WHERE arrived >= ? AND arrived < ?
),

named AS (
    SELECT
        *,
        coalesce(
            TRY_CAST(
                coalesce(
                    json_extract(details, '$.bouncedRecipients'),
                    json_extract(details, '$.complainedRecipients'),
                    json_extract(details, '$.delayedRecipients'),
                    json_extract(details, '$.recipients')
                ) AS array(json)
            ),
            CAST(ARRAY[] AS array(json))
        ) AS recipients
    FROM record
    WHERE type IS NOT NULL AND message_id IS NOT NULL
),

-- One row for each recipient; one without a recipient where SES does not tell which of several it was.
divided AS (
    SELECT
        named.*,
        affected,
        coalesce(json_extract_scalar(affected, '$.emailAddress'), json_extract_scalar(affected, '$')) AS spelling
    FROM named
    LEFT JOIN UNNEST(
        CASE
            WHEN cardinality(recipients) > 0 OR type IN ('Bounce', 'Complaint') THEN recipients
            WHEN type = 'Subscription' THEN slice(destination, 1, 1)
            WHEN type IN ('Open', 'Click', 'DeliveryDelay') AND cardinality(destination) > 1
                THEN CAST(ARRAY[] AS array(json))
            ELSE destination
        END
    ) AS t (affected) ON TRUE
),

addressed AS (
    SELECT
        *,
        lower(trim(coalesce(nullif(regexp_extract(spelling, '<([^<>]*)>$', 1), ''), spelling))) AS address,
        transform(
            destination,
            entry -> lower(
                trim(
                    coalesce(
                        nullif(regexp_extract(json_extract_scalar(entry, '$'), '<([^<>]*)>$', 1), ''),
                        json_extract_scalar(entry, '$')
                    )
                )
            )
        ) AS destinations
    FROM divided
),

-- A forwarded message bounces for another address: the recipient is the one that it was sent to, if it is only one.
attributed AS (
    SELECT
        type,
        message_id,
        sent_at,
        coalesce(json_extract_scalar(details, '$.timestamp'), sent_at) AS occurred_at,
        CASE
            WHEN type <> 'Bounce' OR cardinality(destinations) = 0 OR address IS NULL THEN address
            WHEN contains(destinations, address) THEN address
            WHEN cardinality(destinations) = 1 THEN element_at(destinations, 1)
        END AS recipient,
        cardinality(destinations) AS destination_count,
        tags,
        details,
        coalesce(json_extract_scalar(details, '$.bounceType'), '') AS bounce_type,
        coalesce(json_extract_scalar(details, '$.bounceSubType'), json_extract_scalar(details, '$.complaintSubType'), '')
            AS subtype,
        json_extract_scalar(affected, '$.action') AS action,
        json_extract_scalar(affected, '$.status') AS status,
        json_extract_scalar(affected, '$.diagnosticCode') AS diagnostic_code,
        coalesce(json_extract_scalar(details, '$.complaintFeedbackType'), '') AS feedback_type,
        json_extract_scalar(details, '$.ipAddress') AS ip_address,
        json_extract_scalar(details, '$.userAgent') AS user_agent,
        json_extract_scalar(details, '$.link') AS link,
        CASE type
            WHEN 'Bounce' THEN ARRAY[
                address,
                json_extract_scalar(details, '$.bounceType'),
                json_extract_scalar(details, '$.bounceSubType'),
                json_extract_scalar(affected, '$.action'),
                json_extract_scalar(affected, '$.status')
            ]
            WHEN 'Complaint' THEN ARRAY[
                json_extract_scalar(details, '$.complaintFeedbackType'),
                json_extract_scalar(details, '$.complaintSubType')
            ]
            WHEN 'Subscription' THEN ARRAY[
                json_extract_scalar(details, '$.timestamp'),
                json_extract_scalar(details, '$.contactList')
            ]
            WHEN 'DeliveryDelay' THEN ARRAY[json_extract_scalar(details, '$.timestamp')]
            WHEN 'Open' THEN ARRAY[
                json_extract_scalar(details, '$.timestamp'),
                json_extract_scalar(details, '$.ipAddress'),
                json_extract_scalar(details, '$.userAgent')
            ]
            WHEN 'Click' THEN ARRAY[
                json_extract_scalar(details, '$.timestamp'),
                json_extract_scalar(details, '$.ipAddress'),
                json_extract_scalar(details, '$.userAgent'),
                json_extract_scalar(details, '$.link')
            ]
        END AS natural_key
    FROM addressed
),

numbered AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY type, message_id, recipient, natural_key
            ORDER BY coalesce(cardinality(map_keys(tags)), 0) DESC, occurred_at DESC
        ) AS copy_number
    FROM attributed
),

events AS (
    SELECT
        *,
        concat(message_id, ' ', coalesce(recipient, '')) AS message_and_recipient,
        -- The reasons of aftersend/parsing/machines.py, which has the texts in braces, too.
        CASE
            WHEN type NOT IN ('Open', 'Click') THEN NULL
            WHEN json_extract_scalar(details, '$.isBotEvent') = '{LIKELY}' THEN 'bot-mark'
            WHEN user_agent = '{APPLE_PROXY}' THEN 'privacy-proxy'
            WHEN user_agent = '{GMAIL_PREFETCH}' OR regexp_like(lower(substr(user_agent, 1, 512)), '{SCANNER_PATTERN}')
                THEN 'scanner'
        END AS machine
    FROM numbered
    WHERE copy_number = 1
)

