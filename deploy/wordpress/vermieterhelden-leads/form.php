<?php
/** A form of our own: [vh_anfrage typ="vermieter"], its route, and a bot test that needs no cookie. */

defined('ABSPATH') || exit;

const VH_LEADS_PRIVACY = 'Ich habe die Datenschutzhinweise zur Kenntnis genommen';
const VH_LEADS_THANKS = 'Vielen Dank für Ihre Anfrage.';
const VH_LEADS_FIELDS = array(
    'anrede' => 'Anrede',
    'vorname' => 'Vorname',
    'nachname' => 'Nachname*',
    'email' => 'E-Mail',
    'telefon' => 'Telefon',
    'objekt_strasse' => 'Adresse des Objekts',
    'gegenseite_name' => 'Name der Gegenseite',
    'nachricht' => 'Ihre Nachricht*',
);

function vh_leads_render_token($stamp)
{
    return $stamp . '.' . hash_hmac('sha256', 'vh-form-' . $stamp, wp_salt('nonce'));
}

/** Seconds since a form was rendered; null when the token is not ours or older than a day. */
function vh_leads_form_age($token)
{
    $stamp = (int) $token;
    $age = time() - $stamp;
    return hash_equals(vh_leads_render_token($stamp), (string) $token) && $age >= 0 && $age < DAY_IN_SECONDS ? $age : null;
}

add_shortcode('vh_anfrage', function ($given) {
    // phpcs:ignore WordPress.Security.NonceVerification.Recommended
    if (isset($_GET['vh_anfrage'])) {
        return '<p class="vh-anfrage-danke" role="status">' . esc_html(VH_LEADS_THANKS) . '</p>';
    }
    $given = shortcode_atts(array('typ' => 'kontakt'), $given);
    $html = '<form method="post" class="vh-anfrage" action="' . esc_url(rest_url('vh/v1/anfrage')) . '">';
    foreach (VH_LEADS_FIELDS as $name => $label) {
        $needed = '*' === substr($label, -1) ? ' required' : '';
        $input = 'nachricht' === $name
            ? '<textarea name="nachricht" rows="6" maxlength="10000"' . $needed . '></textarea>'
            : '<input name="' . esc_attr($name) . '" maxlength="200"' . $needed . '>';
        $html .= '<p><label>' . esc_html($label) . '<br>' . $input . '</label></p>';
    }
    $html .= '<p><label><input type="checkbox" name="rueckruf" value="1"> Bitte rufen Sie mich zurück</label></p>';
    $html .= '<p><label><input type="checkbox" name="datenschutz" value="1" required> '
        . esc_html(VH_LEADS_PRIVACY) . '</label></p>';
    $html .= '<p style="position:absolute;left:-9999px" aria-hidden="true"><input name="hp_field" tabindex="-1" '
        . 'autocomplete="off"></p>';
    $html .= '<input type="hidden" name="vh_token" value="' . esc_attr(vh_leads_render_token(time())) . '">';
    $html .= '<input type="hidden" name="typ" value="' . esc_attr($given['typ']) . '">';
    $html .= '<input type="hidden" name="page_url" value="' . esc_url(get_permalink()) . '">';
    return $html . '<p><button type="submit">Absenden</button></p></form>';
});

add_action('rest_api_init', function () {
    $text = array('type' => 'string', 'maxLength' => 10000);
    $args = array_fill_keys(array_merge(array_keys(VH_LEADS_FIELDS), array('datenschutz', 'rueckruf', 'page_url')), $text);
    $args['typ'] = array('type' => 'string', 'enum' => array('vermieter', 'mieter', 'kontakt'), 'default' => 'kontakt');
    $args['hp_field'] = $text;
    $args['vh_token'] = array('type' => 'string', 'required' => true);
    register_rest_route('vh/v1', '/anfrage', array(
        'methods' => 'POST',
        'permission_callback' => '__return_true',
        'args' => $args,
        'callback' => 'vh_leads_take_form',
    ));
});

/** Take a form; people and machines get the same answer, and the firm's side decides what is spam. */
function vh_leads_take_form(WP_REST_Request $request)
{
    $age = vh_leads_form_age($request['vh_token']);
    $data = array();
    foreach (array_merge(array_keys(VH_LEADS_FIELDS), array('typ', 'datenschutz', 'rueckruf', 'page_url', 'hp_field')) as $name) {
        if (null !== $request[$name] && '' !== $request[$name]) {
            $data[$name] = $request[$name];
        }
    }
    if (empty($data['email']) && empty($data['telefon'])) {
        return new WP_Error('kontakt_fehlt', 'Bitte E-Mail oder Telefonnummer angeben.', array('status' => 422));
    }
    $data['einwilligungen'] = array(vh_leads_consent('datenschutz', VH_LEADS_PRIVACY, !empty($data['datenschutz'])));
    unset($data['datenschutz']);
    $data['ausfuellzeit_s'] = null === $age ? 0 : $age;
    $data['ip'] = isset($_SERVER['REMOTE_ADDR']) ? sanitize_text_field(wp_unslash($_SERVER['REMOTE_ADDR'])) : '';
    if (!vh_leads_store($data)) {
        return new WP_Error('nicht_gespeichert', 'Bitte versuchen Sie es später noch einmal.', array('status' => 503));
    }
    return vh_leads_thank($request);
}

/** A browser goes back to its page, which thanks; a script gets its answer. */
function vh_leads_thank(WP_REST_Request $request)
{
    if (false === strpos((string) $request->get_header('accept'), 'text/html')) {
        return new WP_REST_Response(array('status' => 'angenommen', 'meldung' => VH_LEADS_THANKS), 202);
    }
    $page = wp_validate_redirect((string) $request['page_url'], home_url('/'));  // our own host only
    return new WP_REST_Response(null, 303, array('Location' => add_query_arg('vh_anfrage', 'danke', $page)));
}
