<?php
/**
 * Plugin Name: Vermieterhelden Leads
 * Description: Keeps every form in a table of its own and sends it, signed, until the law firm has it.
 * Version: 0.1.0
 * Requires at least: 6.1
 * Requires PHP: 7.4
 *
 * wp-config.php: define('VH_LEADS_URL', 'https://api.example/api/leads/vermieterhelden');
 *                define('VH_LEADS_SECRET', '...');
 * WP-Cron runs only when somebody visits: let a system cron call wp-cron.php every minute.
 */

defined('ABSPATH') || exit;

const VH_LEADS_PAUSES = array(60, 300, 1800, 7200, 21600, 43200, 86400, 86400, 86400);
const VH_LEADS_GIVE_UP = array(400, 413, 415, 422);
const VH_LEADS_LOCK_SECONDS = 60;

function vh_leads_table()
{
    global $wpdb;
    return $wpdb->prefix . 'vh_leads';
}

/** Make the outbox: a row each, because an array in an option loses rows under parallel visitors. */
function vh_leads_install()
{
    global $wpdb;
    require_once ABSPATH . 'wp-admin/includes/upgrade.php';
    dbDelta('CREATE TABLE ' . vh_leads_table() . " (
  id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  idem varchar(64) NOT NULL,
  body longtext NULL,
  state varchar(12) NOT NULL DEFAULT 'wartet',
  attempts int NOT NULL DEFAULT 0,
  status int NOT NULL DEFAULT 0,
  created_at bigint NOT NULL,
  due_at bigint NOT NULL,
  locked_until bigint NOT NULL DEFAULT 0,
  PRIMARY KEY  (id),
  UNIQUE KEY idem (idem),
  KEY due (state,due_at)
) " . $wpdb->get_charset_collate() . ';');
    if (!wp_next_scheduled('vh_leads_cron')) {
        wp_schedule_event(time() + 60, 'vh_leads_minute', 'vh_leads_cron');
    }
}
register_activation_hook(__FILE__, 'vh_leads_install');
register_deactivation_hook(__FILE__, function () {
    wp_clear_scheduled_hook('vh_leads_cron');
});
add_filter('cron_schedules', function ($schedules) {
    $schedules['vh_leads_minute'] = array('interval' => 60, 'display' => 'Vermieterhelden Leads');
    return $schedules;
});

/** Keep a lead; the visitor is thanked for this alone. */
function vh_leads_store(array $data)
{
    global $wpdb;
    $key = wp_generate_uuid4();
    $body = wp_json_encode(array(
        'schema' => 1,
        'id' => $key,
        'occurred_at' => gmdate('Y-m-d\TH:i:s\Z'),
        'site' => home_url('/'),
        'data' => $data,
    ), JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    $kept = $body !== false && $wpdb->insert(vh_leads_table(), array(
        'idem' => $key,
        'body' => $body,
        'created_at' => time(),
        'due_at' => time(),
    ));
    if ($kept) {
        $id = (int) $wpdb->insert_id;
        wp_schedule_single_event(time(), 'vh_leads_send_one', array($id));
        add_action('shutdown', function () use ($id) {
            if (function_exists('fastcgi_finish_request')) {
                fastcgi_finish_request();
                vh_leads_send($id);
            }
        });
    }
    return (bool) $kept;
}

/** Take a row for a minute: one conditional UPDATE, so that two runs never send it twice at once. */
function vh_leads_claim($id)
{
    global $wpdb;
    $table = vh_leads_table();
    $now = time();
    // phpcs:ignore WordPress.DB.PreparedSQL.InterpolatedNotPrepared
    return 1 === $wpdb->query($wpdb->prepare(
        "UPDATE $table SET locked_until = %d WHERE id = %d AND state = 'wartet' AND due_at <= %d AND locked_until <= %d",
        $now + VH_LEADS_LOCK_SECONDS,
        $id,
        $now,
        $now
    ));
}

function vh_leads_send($id)
{
    global $wpdb;
    if (!defined('VH_LEADS_URL') || !defined('VH_LEADS_SECRET') || !vh_leads_claim($id)) {
        return;
    }
    $row = $wpdb->get_row($wpdb->prepare('SELECT * FROM ' . vh_leads_table() . ' WHERE id = %d', $id));
    $stamp = (string) time();
    $answer = wp_remote_post(VH_LEADS_URL, array(
        'timeout' => 10,
        'redirection' => 0,
        'headers' => array(
            'Content-Type' => 'application/json; charset=utf-8',
            'Accept' => 'application/json',
            'Idempotency-Key' => $row->idem,
            'X-VH-Timestamp' => $stamp,
            'X-VH-Signature' => 'sha256=' . hash_hmac('sha256', $stamp . '.' . $row->body, VH_LEADS_SECRET),
            'X-VH-Attempt' => (string) ($row->attempts + 1),
        ),
        'body' => $row->body,
    ));
    $status = is_wp_error($answer) ? 0 : (int) wp_remote_retrieve_response_code($answer);
    $wait = is_wp_error($answer) ? 0 : (int) wp_remote_retrieve_header($answer, 'retry-after');
    $wpdb->update(vh_leads_table(), vh_leads_outcome($status, (int) $row->attempts, $wait), array('id' => $id));
    if (200 !== $status && vh_leads_is_last($status, (int) $row->attempts)) {
        wp_mail(
            get_option('admin_email'),
            'Eine Anfrage konnte nicht zugestellt werden',
            'Vorgang ' . $row->idem . ', letzte Antwort ' . $status . '. Siehe Werkzeuge > Anfragen.'
        );
    }
}
add_action('vh_leads_send_one', 'vh_leads_send');

/** Only what no repeat can mend is given up at once; the rest after four days. */
function vh_leads_is_last($status, $attempts)
{
    return in_array($status, VH_LEADS_GIVE_UP, true) || $attempts + 1 >= count(VH_LEADS_PAUSES);
}

/** Say what a row becomes after an answer; a delivered one keeps key, time and status and nothing personal. */
function vh_leads_outcome($status, $attempts, $wait)
{
    $next = array('attempts' => $attempts + 1, 'status' => $status, 'locked_until' => 0);
    if ($status >= 200 && $status < 300) {
        return $next + array('state' => 'zugestellt', 'body' => null);
    }
    if (vh_leads_is_last($status, $attempts)) {
        return $next + array('state' => 'gescheitert');
    }
    $pause = VH_LEADS_PAUSES[$attempts];
    $pause = (int) ($pause * 0.9) + wp_rand(0, (int) ($pause * 0.2));
    return $next + array('due_at' => time() + max($pause, min($wait, 86400)));
}

add_action('vh_leads_cron', function () {
    global $wpdb;
    $due = $wpdb->get_col($wpdb->prepare(
        'SELECT id FROM ' . vh_leads_table() . " WHERE state = 'wartet' AND due_at <= %d ORDER BY due_at LIMIT 50",
        time()
    ));
    array_map('vh_leads_send', array_map('intval', $due));
    $wpdb->query($wpdb->prepare(
        'DELETE FROM ' . vh_leads_table() . " WHERE state = 'zugestellt' AND created_at < %d",
        time() - 30 * DAY_IN_SECONDS
    ));
});

/** What a box of consent said, word for word, and whether it was ticked; its name tells the purpose. */
function vh_leads_consent($name, $text, $given)
{
    $purpose = 'datenschutzhinweis';
    foreach (array('newsletter' => 'newsletter', 'werbung' => 'werbung_telefon', 'weitergabe' => 'weitergabe_kanzlei') as $word => $known) {
        $purpose = false !== stripos($name, $word) ? $known : $purpose;
    }
    return array(
        'zweck' => $purpose,
        'erteilt' => (bool) $given,
        'text' => trim(preg_replace('/\s+/u', ' ', wp_strip_all_tags($text))),
        'zeitpunkt' => gmdate('Y-m-d\TH:i:s\Z'),
    );
}

/** Contact Form 7: whether its mail went out or not. */
add_action('wpcf7_submit', function ($form, $result) {
    $sent = in_array($result['status'] ?? '', array('mail_sent', 'mail_failed'), true);
    $submission = $sent && class_exists('WPCF7_Submission') ? WPCF7_Submission::get_instance() : null;
    if (!$submission) {
        return;
    }
    $fields = array_map(function ($value) {
        return is_array($value) && 1 === count($value) ? reset($value) : $value;
    }, $submission->get_posted_data());
    $consents = array();
    foreach ($form->scan_form_tags(array('basetype' => 'acceptance')) as $tag) {
        $consents[] = vh_leads_consent($tag->name, (string) $tag->content, !empty($fields[$tag->name]));
        unset($fields[$tag->name]);
    }
    vh_leads_store(array(
        'form' => array('plugin' => 'cf7', 'id' => $form->id(), 'title' => $form->title()),
        'fields' => $fields,
        'einwilligungen' => $consents,
        'page_url' => $submission->get_meta('url'),
        'ip' => $submission->get_meta('remote_ip'),
        'user_agent' => $submission->get_meta('user_agent'),
    ));
}, 10, 2);

/** Elementor Pro. */
add_action('elementor_pro/forms/new_record', function ($record) {
    $fields = array();
    foreach ((array) $record->get('fields') as $id => $field) {
        $fields[$id] = array(
            'title' => $field['title'] ?? '',
            'raw_value' => $field['raw_value'] ?? ($field['value'] ?? ''),
        );
    }
    $form = array('plugin' => 'elementor', 'title' => $record->get_form_settings('form_name'));
    vh_leads_store(array('form' => $form, 'fields' => $fields, 'page_url' => wp_get_referer()));
});

require_once __DIR__ . '/form.php';
require_once __DIR__ . '/admin.php';
