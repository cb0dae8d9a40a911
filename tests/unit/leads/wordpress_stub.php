<?php
// Just enough of WordPress to run the plugin's outbox: one table in memory, HTTP by PHP's own streams.
define('ABSPATH', '/');
define('DAY_IN_SECONDS', 86400);
define('VH_LEADS_URL', $argv[2]);
define('VH_LEADS_SECRET', $argv[3]);
foreach (array('register_activation_hook', 'register_deactivation_hook', 'add_filter', 'add_action', 'add_shortcode',
    'wp_schedule_single_event', 'wp_mail') as $name) {
    eval("function $name() {}");
}
function is_wp_error($value) { return $value instanceof Exception; }
function wp_generate_uuid4() { return '0f0f0f0f-aaaa-4bbb-8ccc-' . bin2hex(random_bytes(6)); }
function wp_json_encode($value, $flags) { return json_encode($value, $flags); }
function home_url($path) { return 'https://vermieterhelden.example' . $path; }
function get_option($name) { return 'admin@example.org'; }
function wp_rand($min, $max) { return random_int($min, $max); }
function wp_remote_post($url, $args) {
    $headers = '';
    foreach ($args['headers'] as $name => $value) { $headers .= "$name: $value\r\n"; }
    $http = array('method' => 'POST', 'header' => $headers, 'content' => $args['body'], 'ignore_errors' => true,
        'follow_location' => 0, 'timeout' => $args['timeout']);
    $body = @file_get_contents($url, false, stream_context_create(array('http' => $http)));
    return $body === false ? new Exception('closed') : array($http_response_header, $body);
}
function wp_remote_retrieve_response_code($answer) { return explode(' ', $answer[0][0])[1]; }
function wp_remote_retrieve_header($answer, $name) {
    foreach ($answer[0] as $line) { if (stripos($line, "$name: ") === 0) { return substr($line, strlen($name) + 2); } }
    return '';
}
class Table {
    public $prefix = 'wp_';
    public $insert_id = 0;
    public $rows = array();
    function insert($table, $row) {
        $this->rows[++$this->insert_id] = $row + array('id' => $this->insert_id, 'state' => 'wartet', 'attempts' => 0,
            'status' => 0, 'locked_until' => 0);
        return 1;
    }
    function update($table, $changes, $where) { $this->rows[$where['id']] = $changes + $this->rows[$where['id']]; return 1; }
    function prepare($text, ...$args) { return $args; }
    function query($args) {
        list($until, $id, $now) = $args;
        $row = $this->rows[$id];
        if ($row['state'] !== 'wartet' || $row['due_at'] > $now || $row['locked_until'] > $now) { return 0; }
        $this->rows[$id]['locked_until'] = $until;
        return 1;
    }
    function get_row($args) { return (object) $this->rows[$args[0]]; }
}
$wpdb = new Table();
require $argv[1];
vh_leads_store(json_decode($argv[4], true));
for ($n = 0; $n < (int) $argv[5]; $n++) {
    vh_leads_send(1);
    $shown[] = $wpdb->rows[1];
    $wpdb->rows[1]['due_at'] = 0;
}
echo json_encode($shown);
