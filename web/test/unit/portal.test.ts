import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { RequestError, TaskApi } from "../../src/portal/api.js";
import { clockText, spokenAt } from "../../src/portal/countdown.js";
import { DraftSaver } from "../../src/portal/draft-saver.js";
import type { SaveState } from "../../src/portal/draft-saver.js";

describe("clock", () => {
  for (const [ms, want] of [
    [3_723_000, "1:02:03"],
    [545_000, "9:05"],
    [400, "0:01"],
    [0, "0:00"],
    [-5000, "0:00"],
    [259_200_000, "3 days"],
  ] as const) {
    test(`${ms} ms is ${want}`, () => assert.equal(clockText(ms), want));
  }

  test("marks are spoken once, when passed", () => {
    assert.equal(spokenAt(301_000, 300_000), "5 minutes left");
    assert.equal(spokenAt(300_000, 299_500), "");
    assert.equal(spokenAt(60_200, 59_900), "1 minute left");
  });
});

describe("calls", () => {
  const answering = (status: number, body: unknown, headers: Record<string, string> = {}) => {
    const seen: { path: string; init: RequestInit }[] = [];
    const send = ((path: string, init: RequestInit) => {
      seen.push({ path, init });
      return Promise.resolve(new Response(status === 204 ? null : JSON.stringify(body), { status, headers }));
    }) as typeof fetch;
    return { api: new TaskApi("token", send), seen };
  };

  test("a draft goes to its assignment with the token", async () => {
    const { api, seen } = answering(204, null);
    await api.saveDraft("a/1", { x: 1 });
    assert.equal(seen[0]?.path, "/tasks/a%2F1/draft");
    assert.equal(new Headers(seen[0]?.init.headers).get("X-CSRF-Token"), "token");
    assert.equal(seen[0]?.init.body, '{"answer":{"x":1}}');
  });

  test("an error carries code and message", async () => {
    const { api } = answering(409, { error: { code: "LeaseExpired", message: "Too late." } });
    await assert.rejects(api.submit("a", {}), (error: RequestError) => error.leaseEnded && error.message === "Too late." && !error.passing);
  });

  test("a server that cannot be reached is worth another try", async () => {
    const api = new TaskApi("token", () => Promise.reject(new TypeError("fetch failed")));
    await assert.rejects(api.submit("a", {}), (error: RequestError) => error.passing && error.status === 0);
  });

  // Security: what the server says to go to must stay on the portal, whoever had a hand in the text.
  for (const path of ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
    test(`a redirect to ${path} goes home`, async () => {
      const { api } = answering(200, { redirect: path });
      assert.equal(await api.stop("a"), "/");
    });
  }
});

describe("drafts", () => {
  function saver(results: (() => Promise<void>)[]) {
    const saved: unknown[] = [];
    const states: SaveState[] = [];
    const refused: RequestError[] = [];
    const draftSaver = new DraftSaver(
      {
        save: (answer) => {
          saved.push(answer.n);
          return (results.shift() ?? (() => Promise.resolve()))();
        },
        onState: (state) => void states.push(state),
        onRefused: (error) => void refused.push(error),
      },
      () => Date.now(),
    );
    return { draftSaver, saved, states, refused };
  }

  test("the first change goes at once, those under way wait, the last one wins", async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    try {
      let release = (): void => {};
      const { draftSaver, saved, states } = saver([() => new Promise((resolve) => (release = resolve))]);
      draftSaver.change({ n: 1 });
      mock.timers.tick(1);
      draftSaver.change({ n: 2 });
      draftSaver.change({ n: 3 });
      mock.timers.tick(5000);
      assert.deepEqual(saved, [1]);
      release();
      await settle();
      mock.timers.tick(1000);
      await settle();
      assert.deepEqual(saved, [1, 3]);
      assert.equal(states.at(-1), "saved");
    } finally {
      mock.timers.reset();
    }
  });

  test("a failure in passing is tried again, later and later, and loses nothing", async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    try {
      const offline = (): Promise<void> => Promise.reject(new RequestError(0, "Offline", "x"));
      const { draftSaver, saved, states } = saver([offline, offline]);
      draftSaver.change({ n: 1 });
      mock.timers.tick(1);
      await settle();
      assert.equal(states.at(-1), "offline");
      mock.timers.tick(2000);
      await settle();
      assert.deepEqual(saved, [1, 1]);
      mock.timers.tick(2000);
      assert.deepEqual(saved, [1, 1]);
      mock.timers.tick(2000);
      await settle();
      assert.deepEqual(saved, [1, 1, 1]);
      assert.equal(states.at(-1), "saved");
    } finally {
      mock.timers.reset();
    }
  });

  test("a refusal is told and not repeated", async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    try {
      const { draftSaver, saved, refused } = saver([() => Promise.reject(new RequestError(409, "LeaseExpired", "x"))]);
      draftSaver.change({ n: 1 });
      mock.timers.tick(1);
      await settle();
      mock.timers.tick(60_000);
      assert.deepEqual(saved, [1]);
      assert.equal(refused.length, 1);
    } finally {
      mock.timers.reset();
    }
  });

  test("after stop nothing is saved any more", async () => {
    const { draftSaver, saved } = saver([]);
    draftSaver.change({ n: 1 });
    await draftSaver.stop();
    draftSaver.change({ n: 2 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(saved, []);
  });
});

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
