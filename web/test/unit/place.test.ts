import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RequestError } from "../../src/portal/api.js";
import { Placement } from "../../src/portal/place.js";

/** A portal and a media endpoint that answer from lists, and what they were asked. */
function world(said: (string | null)[], placed: (RequestError | null)[] = [], probes = ["https://media/second"]) {
  const log: string[] = [];
  const api = {
    probe: (assignment: string) => {
      log.push(`probe ${assignment}`);
      return Promise.resolve(probes.shift() ?? "https://media/more");
    },
    place: (assignment: string, statement: string) => {
      log.push(`place ${assignment} ${statement}`);
      const error = placed.shift();
      return error ? Promise.reject(error) : Promise.resolve();
    },
  };
  const ask = (url: string): Promise<string | null> => {
    log.push(`ask ${url}`);
    return Promise.resolve(said.shift() ?? null);
  };
  return { placement: new Placement(api, ask), log };
}

const refused = (code: string) => new RequestError(403, code, "No.");

describe("settling where the worker is", () => {
  for (const [name, said, placed, first, want] of [
    ["nothing depends on it", [], [], "", []],
    ["the endpoint says", ["s1"], [], "https://media/first", ["ask https://media/first", "place a s1"]],
    ["the endpoint cannot be reached: the portal's view", [null], [], "https://media/first", ["ask https://media/first", "place a "]],
    ["the page is old: the endpoint refuses its ticket", ["", "s2"], [], "https://media/first", ["ask https://media/first", "probe a", "ask https://media/second", "place a s2"]],
    ["the statement is out of date", ["s1", "s2"], [refused("StaleStatement")], "https://media/first", ["ask https://media/first", "place a s1", "probe a", "ask https://media/second", "place a s2"]],
    ["media stopped opening: a new ticket at once", ["s2"], [], undefined, ["probe a", "ask https://media/second", "place a s2"]],
    ["refused twice: the portal decides", ["", ""], [], "https://media/first", ["ask https://media/first", "probe a", "ask https://media/second", "place a "]],
  ] as const) {
    test(name, async () => {
      const { placement, log } = world([...said], [...placed]);
      await placement.settle("a", first);
      assert.deepEqual(log, want);
    });
  }

  // However the portal answers, the page never asks in a circle.
  for (const [name, said, placed, code, asks] of [
    ["not admitted", ["s1"], [refused("AddressNotAdmitted")], "AddressNotAdmitted", 1],
    ["no secret kept", ["s1"], [refused("BrowserNotBound")], "BrowserNotBound", 1],
    ["always out of date", ["s1", "s2", "s3"], [refused("StaleStatement"), refused("StaleStatement"), refused("StaleStatement")], "StaleStatement", 2],
  ] as const) {
    test(`${name} is told`, async () => {
      const { placement, log } = world([...said], [...placed]);
      await assert.rejects(placement.settle("a", "https://media/first"), (error: RequestError) => error.code === code);
      assert.equal(log.filter((line) => line.startsWith("ask")).length, asks);
    });
  }

  test("a team that binds nothing any more asks nothing more", async () => {
    const { placement, log } = world([], [], [""]);
    await placement.settle("a");
    assert.deepEqual(log, ["probe a"]);
  });

  test("who is outside the networks comes back: drafts go on trying", () => {
    assert.equal(new RequestError(404, "AddressNotAdmitted", "").passing, true);
    assert.equal(new RequestError(404, "NotFound", "").passing, false);
  });
});
