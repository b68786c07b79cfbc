import { ClaimPlaces } from './claim-places.js';

const of = (instance: number, upstream = 'fs') => ({ tenantId: 'ten_1', upstream, instance: `instance${instance}` });

describe('claims that wait at a process', () => {
  it('are one for each connector that has a lease, however many of them a tenant has', () => {
    const places = new ClaimPlaces();
    for (let upstream = 0; upstream < 200; upstream++)
      for (let instance = 0; instance < 64; instance++) places.enter(of(instance, `up${upstream}`)).known();
    expect(places.count).toBe(12_800);
  });

  it('beyond the first of a connector are 3, and 256 of a tenant; another tenant has its own', () => {
    const places = new ClaimPlaces();
    for (let i = 0; i < 100; i++) places.enter(of(i)).known();
    for (let i = 0; i < 3; i++) places.enter(of(0));
    expect(() => places.enter(of(0))).toThrow('As many claims');
    for (let i = 1; i <= 253; i++) places.enter(of(1 + (i % 99)));
    expect(() => places.enter(of(99))).toThrow('As many claims');
    places.enter({ ...of(0), tenantId: 'ten_2' });
    places.enter(of(100)).known();
    expect(places.count).toBe(100 + 256 + 2);
  });

  it('of whoever may have no lease are 64 of a tenant, until that is known or they have left', () => {
    const places = new ClaimPlaces();
    const unknown = Array.from({ length: 64 }, (_, i) => places.enter(of(i)));
    expect(() => places.enter(of(64))).toThrow('As many claims');
    unknown[0]?.known();
    unknown[1]?.leave();
    unknown[1]?.leave();
    places.enter(of(65));
    places.enter(of(66));
    expect(() => places.enter(of(67))).toThrow('As many claims');
    for (const place of unknown) place.leave();
    expect(places.count).toBe(2);
  });
});
