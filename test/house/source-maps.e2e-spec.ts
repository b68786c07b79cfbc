import { eventually, startWorld, type World } from '@haldir/test-support';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

it('the stack of an error in the log names the lines of the sources', async () => {
  await world.sql('ALTER TABLE session RENAME TO elsewhere');
  const { status } = await world.operator.get('/v1/sessions');
  expect(status).toBe(500);
  const frames = await eventually(() => {
    const lines = String(world.apis[0]?.output()).split('\n');
    const failure = lines.find((line) => line.includes('42P01'));
    return (JSON.parse(String(failure)) as { err: { frames: string[] } }).err.frames;
  });
  const ours = frames.filter((frame) => !/node_modules|node:/.test(frame));
  expect(ours.some((frame) => /libs\/gate\/src\/.*\.ts:\d+:\d+\)?$/.test(frame))).toBe(true);
  expect(ours.filter((frame) => frame.includes('.js:'))).toEqual([]);
});
