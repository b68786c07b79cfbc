// @ts-check
import { pause } from '../embedded/processes.mjs';
import { RECIPES } from './recipes.mjs';

/** @typedef {import('../embedded/processes.mjs').Outcome} Outcome */

/** What the APIs of models take as the name of a tool. */
const MODEL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const ANSWER = 'Echo: hello';

/**
 * Runs one recipe as it is, and under everything that may become of its call: refused by a policy, held and approved or denied,
 * left undecided and made again once it is approved; with its tool blocked; with a key that is none. It has an agent and a key of its own,
 * so that what the log has of that agent is the recipe's.
 *
 * @param {object} stage
 * @param {import('./operator.mjs').Operator} stage.haldir
 * @param {import('../lib/balancer.mjs').Balancer} stage.balancer
 * @param {string} stage.file
 * @param {(key: string) => Promise<Outcome>} stage.runWith
 * @param {(title: string, holds: boolean, found: unknown) => void} stage.report
 */
export async function tryRecipe({ haldir, balancer, file, runWith, report }) {
  const agent = file.replace(/\W/g, '-');
  const { key, prefix } = await haldir.agentKey(agent);
  const [shown = '', get_env = ''] = ['echo', 'get-env'].map((tool) => RECIPES.get(file)?.(tool));
  /** @param {string} title @param {Outcome} outcome shown when it is not so @param {(said: string) => boolean} holds */
  const check = (title, { code, stdout, stderr }, holds) =>
    report(title, holds(stdout + stderr), `it ended with ${code} and said:\n${stdout}${stderr}`);
  /** @param {string} action */
  const logged = async (action) =>
    (await haldir.log(agent)).filter(
      (entry) => entry.action === action && entry.tool === 'demo.echo' && entry.actor === `agent:${agent} (${prefix})`,
    ).length;
  /** @param {object} policy @param {() => Promise<Outcome>} act */
  const under = async (policy, act) => {
    const id = await haldir.addPolicy({ ...policy, scope: { tools: ['demo.echo'], agents: [agent] } });
    try {
      return { id, outcome: await act() };
    } finally {
      await haldir.removePolicy(id);
    }
  };

  const before = [...balancer.asked];
  const allowed = await runWith(key);
  const lines = allowed.stdout.split('\n');
  const names = lines.slice(0, Math.max(lines.indexOf(ANSWER), 0));
  check('lists what the agent may call, and not what is blocked', allowed, () => {
    return names.includes(shown) && !names.includes(get_env);
  });
  check('every name is one that APIs of models take', allowed, () => names.every((name) => MODEL_NAME.test(name)));
  check('prints the answer of demo.echo', allowed, () => allowed.code === 0 && lines.includes(ANSWER));
  check('came to both processes with it', allowed, () => balancer.asked.every((asked, i) => asked > (before[i] ?? 0)));
  let calls = await logged('tool_call');
  check('its one call is in the log, under its agent key', allowed, () => calls === 1);

  const limit = await under({ type: 'rate_limit', max_per_minute: 0 }, () => runWith(key));
  const refusals = await logged('tool_call_blocked');
  check('a call that a policy refuses says which, and is in the log', limit.outcome, (said) => {
    return !said.includes(ANSWER) && said.includes(limit.id) && said.includes('blocked_by') && refusals === 1;
  });

  /** Has a human decide while the recipe waits. @param {'approve' | 'deny'} decision @returns {Promise<Outcome>} */
  const decided = async (decision) => {
    let ended = false;
    const running = runWith(key).finally(() => (ended = true));
    for (let id; id === undefined && !ended; await pause(100)) {
      id = await haldir.waitingOf(agent);
      if (id !== undefined) await haldir.decide(id, decision);
    }
    return running;
  };
  await under({ type: 'require_approval' }, async () => {
    const approved = await decided('approve');
    check('a call that needs approval waits, and goes on by itself once a human approves it', approved, () => {
      return approved.code === 0 && approved.stdout.split('\n').includes(ANSWER);
    });

    const left = await runWith(key);
    const waiting = await haldir.waitingOf(agent);
    check('one that nobody decides about in time is told to poll', left, (said) => {
      return !said.includes(ANSWER) && said.includes('approval_required') && said.includes(waiting ?? 'nothing waits');
    });
    if (waiting !== undefined) await haldir.decide(waiting, 'approve');
    const resumed = await runWith(key);
    check('and goes through when it is made again, by a program that was started anew', resumed, () => {
      return resumed.code === 0 && resumed.stdout.split('\n').includes(ANSWER);
    });

    const denied = await decided('deny');
    check('one that a human denies says so', denied, (said) => {
      return !said.includes(ANSWER) && said.includes('approval_denied');
    });
    return denied;
  });
  calls += 2;
  const after = await logged('tool_call');
  report('each that was approved was made once', after === calls, { logged: after, expected: calls });

  const blocked = await under({ type: 'block_tool', tool: 'demo.echo' }, () => runWith(key));
  check('a tool that is blocked is not there', blocked.outcome, (said) => {
    return (
      blocked.outcome.code === 1 &&
      said.includes('demo__echo is not among the tools of this key') &&
      !said.includes(ANSWER) &&
      !blocked.outcome.stdout.split('\n').includes(shown)
    );
  });

  const unknown = await runWith(`${key.slice(0, -4)}0000`);
  check('another key is refused', unknown, (said) => unknown.code !== 0 && !said.includes(ANSWER));
  const last = await logged('tool_call');
  report('and nothing else was called in its name', last === calls, { logged: last, expected: calls });
}
