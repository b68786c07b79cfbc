/** Hosts that are loopback, private, reserved or metadata addresses, plain or in some disguise. */
const ADDRESSES = [
  // Loopback, in every notation a URL may use.
  '127.0.0.1', '127.1', '127.0.1', '127.255.255.254', '2130706433', '0x7f000001', '0x7f.0.0.1', '0x7f.1', '017700000001',
  '0177.0.0.1', '0177.0.0.01', '0x7F.0x0.0x0.0x1', '127.0.0.1.', '127.0.0.0x1', '0', '0.0.0.0', '0x0', '00.00.00.00',
  // The same after what IDNA and percent-encoding make of it.
  '１２７.０.０.１', '①②⑦.⓪.⓪.①', '127。0。0。1', '127．0．0．1', '127｡0｡0｡1', '%31%32%37.0.0.1', '127.0.0.1%2e',
  // Private, shared, link-local and metadata.
  '10.0.0.1', '10.255.255.255', '0xa000001', '167772161', '012.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.257',
  '3232235521', '100.64.0.1', '100.127.255.255', '169.254.0.1', '169.254.169.254', '0xa9fea9fe', '2852039166', '0251.0376.0251.0376',
  '169.254.43518', '169.254.170.2', '100.100.100.200', '192.0.0.192',
  // Reserved, for documentation, benchmarks, relays, multicast and broadcast.
  '0.1.2.3', '192.0.0.170', '192.0.2.1', '192.31.196.1', '192.52.193.1', '192.88.99.1', '192.175.48.1', '198.18.0.1', '198.19.255.255',
  '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255',
  // IPv6: loopback and unspecified, and IPv4 mapped, compatible, translated, tunnelled.
  '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[0000::0001]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::FFFF:127.0.0.1]',
  '[0:0:0:0:0:ffff:7f00:0001]', '[::127.0.0.1]', '[::ffff:0:127.0.0.1]', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]',
  '[::ffff:10.0.0.1]', '[::ffff:0.0.0.0]', '[64:ff9b::7f00:1]', '[64:ff9b::127.0.0.1]', '[64:ff9b::169.254.169.254]',
  '[64:ff9b::c0a8:1]', '[64:ff9b:1::7f00:1]', '[64:ff9b:1::808:808]', '[2002:7f00:1::]', '[2002:a9fe:a9fe::]', '[2002:c0a8:1::1]',
  '[2002:a00:1::]', '[2001:0:0:0:0:0:80ff:fffe]', '[2001::1]', '[2001:10::1]', '[2001:20::1]',
  // IPv6: link-local, site-local, unique local, multicast, documentation and what nobody was given.
  '[fe80::1]', '[fe80::1%25lo]', '[fe80::1%lo]', '[febf::1]', '[fd00:ec2::254]', '[fc00::1]', '[fdff::1]', '[fec0::1]', '[ff02::1]',
  '[ff0e::1]', '[100::1]', '[2001:db8::1]', '[3fff::1]', '[5f00::1]', '[4000::1]', '[1fff::1]', '[e000::1]',
]; // prettier-ignore

/** Whole URLs that are dangerous by form: of userinfo, separators, white space, schemes and ports. */
const FORMS = [
  'http://user@127.0.0.1:PORT/', 'http://user:pass@example.com:PORT/', 'http://example.com@127.0.0.1:PORT/',
  'http://127.0.0.1:PORT#@example.com/', 'http://127.0.0.1:PORT?@example.com/', 'http://example.com:PORT@127.0.0.1/',
  'http://127.0.0.1:PORT\\@example.com/', 'http:\\\\127.0.0.1:PORT/', 'http:127.0.0.1:PORT', 'http:/127.0.0.1:PORT/',
  'http:///127.0.0.1:PORT/', '//127.0.0.1:PORT/', '/127.0.0.1:PORT', '127.0.0.1:PORT', 'http://127.0.0.1:PORT\t/',
  'http://127.0.0.1\n:PORT/', ' http://127.0.0.1:PORT/', 'http://127.0.0.1:PORT/\r\nHost: example.com', 'http://exa mple.com/',
  'gopher://127.0.0.1:PORT/', 'file://127.0.0.1/etc/passwd', 'file:///etc/passwd', 'ftp://127.0.0.1:PORT/', 'dict://127.0.0.1:PORT/',
  'ws://127.0.0.1:PORT/', 'ldap://127.0.0.1:PORT/', 'unix:///var/run/docker.sock', 'http+unix://%2Fvar%2Frun%2Fdocker.sock/',
  'data:text/plain,x', 'javascript:fetch("http://127.0.0.1:PORT")', 'http://example.com:22/',
  'http://example.com:25/', 'http://example.com:0/', 'http://example.com:1023/', 'http://example.com:65536/', 'http://', 'http://:PORT/',
  'http://[::1:PORT/', 'http://[127.0.0.1]:PORT/', 'http://256.256.256.256/', 'http://1.2.3.4.5/',
]; // prettier-ignore

/** Names, and what a hostile DNS answers for them. */
export const HOSTILE_NAMES: Readonly<Record<string, readonly string[]>> = {
  localhost: ['127.0.0.1'],
  'localhost.': ['127.0.0.1'],
  'app.localhost': ['127.0.0.1'],
  LOCALHOST: ['127.0.0.1'],
  ｌｏｃａｌｈｏｓｔ: ['127.0.0.1'],
  'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ.localdomain': ['127.0.0.1'],
  'ip6-localhost': ['::1'],
  'loopback6.example': ['::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'sixtofour.example': ['2002:7f00:1::'],
  'teredo.example': ['2001:0:0:0:0:0:80ff:fffe'],
  'zone.example': ['fe80::1%lo'],
  'metadata.google.internal': ['169.254.169.254'],
  'metadata6.example': ['fd00:ec2::254'],
  'kubernetes.default.svc': ['10.96.0.1'],
  'host.docker.internal': ['172.17.0.1'],
  '127.0.0.1.nip.example': ['127.0.0.1'],
  'xn--bcher-kva.example': ['192.168.0.1'],
  'second-private.example': ['93.184.216.34', '127.0.0.1'],
  'first-private.example': ['10.0.0.1', '93.184.216.34'],
  'mixed-family.example': ['2606:4700::1111', '::1'],
  'unspecified.example': ['0.0.0.0'],
  'broadcast.example': ['255.255.255.255'],
  'garbage.example': ['not-an-address'],
};

/**
 * URLs that none may connect to who allows public addresses only.
 *
 * @param port where something listens on loopback
 */
export function hostileUrls(port: number): string[] {
  return [
    ...ADDRESSES.map((host) => `http://${host}:PORT/`),
    ...FORMS,
    ...Object.keys(HOSTILE_NAMES).map((name) => `http://${name}:PORT/hook`),
  ].map((url) => url.replaceAll('PORT', String(port)));
}

/** What a hostile DNS answers for a host as a URL spells it; null for a name it does not know. */
export function hostileAnswer(hostname: string): string[] | null {
  const name = Object.keys(HOSTILE_NAMES).find((known) => new URL(`http://${known}/`).hostname === hostname);
  return name === undefined ? null : [...(HOSTILE_NAMES[name] ?? [])];
}
