import { readsAsOwn } from './own-name.js';

it.each([
  ...['haldir', 'haldir.approvals', 'HALDIR.Vault', 'Haldir/vault', 'haldir:vault', 'haldir__vault', 'haldir-gate', 'haldir…'],
  ...[' haldir.vault', '\thaldir', 'haldir .vault', 'hal dir.vault', '"haldir.vault"', '.haldir', '[haldir] vault'],
  ...['ｈａｌｄｉｒ.vault', 'haldir․vault', 'h\u200baldir.vault', '\u202ehaldir.vault', 'hàldir.vault', 'hald\u0131r.vault'],
  ...['hаldir.vault', 'haIdir.vault', 'ha1dir.vault', 'ha|dir.vault', 'halԁir.vault', 'haldiг.vault', '𝐡𝐚𝐥𝐝𝐢𝐫.vault'],
])('%j reads as a name of Haldir’s own', (name) => {
  expect(readsAsOwn(name)).toBe(true);
}); // prettier-ignore

it.each(['', 'haldirs', 'haldirector.run', 'hal', 'mail.haldir', 'my-haldir', 'halidir', 'stripe', 'дом', 'haldir2.x'])(
  '%j is anybody’s',
  (name) => {
    expect(readsAsOwn(name)).toBe(false);
  },
);
