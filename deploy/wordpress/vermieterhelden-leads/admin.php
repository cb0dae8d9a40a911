<?php
/** Werkzeuge > Anfragen: the outbox without what anybody wrote, and a button to try again. */

defined('ABSPATH') || exit;

add_action('admin_menu', function () {
    add_management_page('Anfragen', 'Anfragen', 'manage_options', 'vh-leads', 'vh_leads_admin_page');
});

function vh_leads_admin_page()
{
    global $wpdb;
    $table = vh_leads_table();
    if (isset($_POST['vh_leads_again']) && check_admin_referer('vh_leads_again') && current_user_can('manage_options')) {
        $id = (int) $_POST['vh_leads_again'];
        $again = array('state' => 'wartet', 'due_at' => time(), 'attempts' => 0, 'locked_until' => 0);
        $wpdb->update($table, $again, array('id' => $id, 'state' => 'gescheitert'));
        vh_leads_send($id);
    }
    echo '<div class="wrap"><h1>Anfragen</h1>';
    if (!defined('VH_LEADS_URL') || !defined('VH_LEADS_SECRET')) {
        echo '<div class="notice notice-error"><p>VH_LEADS_URL und VH_LEADS_SECRET fehlen in wp-config.php.</p></div>';
    }
    echo '<table class="widefat"><thead><tr><th>Vorgang</th><th>Eingang</th><th>Stand</th><th>Versuche</th>'
        . '<th>Letzte Antwort</th><th></th></tr></thead><tbody>';
    // phpcs:ignore WordPress.DB.PreparedSQL.InterpolatedNotPrepared
    $rows = $wpdb->get_results("SELECT id, idem, state, attempts, status, created_at FROM $table ORDER BY id DESC LIMIT 200");
    foreach ($rows as $row) {
        echo '<tr><td>' . esc_html($row->idem) . '</td><td>' . esc_html(wp_date('d.m.Y H:i', (int) $row->created_at))
            . '</td><td>' . esc_html($row->state) . '</td><td>' . (int) $row->attempts . '</td><td>' . (int) $row->status
            . '</td><td>';
        if ('gescheitert' === $row->state) {
            echo '<form method="post">';
            wp_nonce_field('vh_leads_again');
            echo '<button class="button" name="vh_leads_again" value="' . (int) $row->id . '">Noch einmal</button></form>';
        }
        echo '</td></tr>';
    }
    echo '</tbody></table></div>';
}
