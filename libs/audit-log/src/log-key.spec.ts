import { InvalidCheckpoint, isSignedBy, parseCheckpoint, parseVerifierKey, verifierKey } from '@haldir/verifier';
import { logKeyFromSeed, signCheckpoint } from './log-key.js';

const ORIGIN = 'haldir.example/log/tnt_demo';
const seed = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const root = Buffer.from('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328', 'hex');
const key = logKeyFromSeed(ORIGIN, seed);

describe('a checkpoint', () => {
  it('is the C2SP signed note of the published vector, byte for byte', () => {
    expect(verifierKey(key)).toBe('haldir.example/log/tnt_demo+04dd315d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4');
    expect(signCheckpoint(key, { size: 8, root }).note).toBe(
      'haldir.example/log/tnt_demo\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n' +
        '— haldir.example/log/tnt_demo BN0xXeqDSJMH/yhDZpVqUFt0ImsWuep9OP/NJxhGLOw+oN8H1I2aDozffJ09dJmEa+ocy29N+VCs/PW6wHxMtdwTKQI=\n',
    );
  });

  it('is signed for one log, size and root only', () => {
    const { signature } = signCheckpoint(key, { size: 8, root });
    expect(isSignedBy(key, { size: 8, root }, signature)).toBe(true);
    expect(isSignedBy(key, { size: 9, root }, signature)).toBe(false);
    expect(isSignedBy(key, { size: 8, root: Buffer.alloc(32) }, signature)).toBe(false);
    expect(isSignedBy({ ...key, origin: 'haldir.example/log/tnt_other' }, { size: 8, root }, signature)).toBe(false);
    expect(isSignedBy(key, { size: 8, root }, signature.subarray(1))).toBe(false);
  });

  it('reads back to what was signed, whoever else signed it too, and to nothing once a character differs', () => {
    const { note } = signCheckpoint(key, { size: 8, root });
    const log = parseVerifierKey(verifierKey(key));
    const witnessed = `${note}— witness.example/w1 8e2MRwAAAABo53gAG2w+WE+07vsjubWHZY03hZOHQeQ8DktMyatijPYyZhCuUpMJ8vcDxjokfurO8XscWnJ+OZTdUTgkDud3Ld17DQ==\n`;
    expect(parseCheckpoint(note, log)).toEqual({ origin: ORIGIN, size: 8, root });
    expect(parseCheckpoint(witnessed, log)).toEqual({ origin: ORIGIN, size: 8, root });
    for (let i = 0; i < note.length; i++) {
      const altered = note.slice(0, i) + (note[i] === 'A' ? 'B' : 'A') + note.slice(i + 1);
      expect(() => parseCheckpoint(altered, log)).toThrow(InvalidCheckpoint);
      expect(() => parseCheckpoint(note.slice(0, i), log)).toThrow(InvalidCheckpoint);
    }
    expect(() => parseCheckpoint(note + note.slice(note.indexOf('—')), log)).toThrow(InvalidCheckpoint);
  });

  it.each(['', 'name', 'name+00000000+AQOh', verifierKey(key).replace('04dd315d', '04dd315e'), `${verifierKey(key)}A`])(
    'has no verifier key %j',
    (text) => {
      expect(() => parseVerifierKey(text)).toThrow(InvalidCheckpoint);
    },
  );
});
