-- What came of the messages with a tag: the measures of aftersend/counting.py.
SELECT
    concat(
        CASE WHEN recipient LIKE '%@simulator.amazonses.com' THEN 'simulated_' ELSE '' END,
        CASE
            WHEN type IN ('Bounce', 'Complaint') AND subtype IN ('OnAccountSuppressionList', 'OnTenantSuppressionList')
                THEN 'suppression_list_echo'
            WHEN type = 'Complaint' THEN CASE WHEN feedback_type = 'not-spam' THEN 'not_spam' ELSE 'complaint' END
            WHEN type = 'Bounce' AND bounce_type = 'Permanent'
                THEN CASE
                    WHEN subtype = 'NoEmail' THEN 'hard_bounce_no_email'
                    WHEN subtype = 'Suppressed' THEN 'hard_bounce_suppressed'
                    WHEN subtype = 'EmailValidationSuppressed' THEN 'validation_suppressed'
                    WHEN subtype = 'UnsubscribedRecipient' THEN 'unsubscribed_recipient'
                    WHEN status LIKE '5.7.%' THEN 'sender_refused'
                    ELSE 'hard_bounce'
                END
            WHEN type = 'Bounce' AND bounce_type = 'Transient' AND subtype = 'General'
                AND action IS NULL AND status IS NULL
                THEN 'out_of_office'
            WHEN type = 'Bounce' AND bounce_type = 'Transient'
                THEN CASE
                    WHEN subtype = 'MailboxFull' THEN 'mailbox_full'
                    WHEN subtype IN ('MessageTooLarge', 'ContentRejected', 'AttachmentRejected') THEN 'content_refused'
                    WHEN subtype = 'CustomTimeoutExceeded' THEN 'delivery_timeout'
                    ELSE 'soft_bounce'
                END
            WHEN type = 'Bounce' THEN 'undetermined'
            WHEN type IN ('Open', 'Click')
                THEN concat(
                    lower(type),
                    CASE machine
                        WHEN 'bot-mark' THEN '_bot'
                        WHEN 'privacy-proxy' THEN '_proxy'
                        WHEN 'scanner' THEN '_scanner'
                        ELSE ''
                    END
                )
            WHEN type = 'DeliveryDelay' THEN 'delivery_delay'
            WHEN type IN ('Send', 'Reject', 'Rendering Failure', 'Delivery', 'Subscription')
                THEN replace(lower(type), ' ', '_')
            ELSE 'other'
        END
    ) AS measure,
    count(*) AS events,
    count(DISTINCT message_and_recipient) AS recipients,
    count_if(machine IS NOT NULL) AS machine
FROM events
WHERE sent_at >= ? AND sent_at < ? AND contains(element_at(tags, ?), ?)
GROUP BY 1
ORDER BY 1
