import { isRecord } from "../kit/record.js";
import { RequestError } from "./api.js";
import type { Answer, NextTask, Outcome, TaskApi } from "./api.js";
import { Countdown, clockText } from "./countdown.js";
import { make } from "./dom.js";
import { DraftSaver } from "./draft-saver.js";
import type { SaveState } from "./draft-saver.js";
import { FrameHost } from "./frame-host.js";
import { Placement, frameAsker } from "./place.js";

const SAVE_TEXT: Readonly<Record<SaveState, string>> = { clean: "", saving: "Saving…", saved: "Saved", offline: "Offline, trying again", failed: "Not saved" };

/** After this long a next frame that has not spoken is shown as it is. */
const PATIENCE_MS = 6000;

/** Media that stop opening are asked for anew without a question so long after the last time, and not sooner: never in a circle. */
const CALM_MS = 60_000;

interface Notice {
  readonly kind: "info" | "warning" | "error";
  readonly text: string;
  readonly button?: { readonly text: string; readonly run: () => void };
  readonly closable?: boolean;
}

/**
 * The task page: one frame with the requester's template, and around it the
 * clock, the draft, and the ways an assignment can end. The next task comes
 * into the same page: its frame is loaded under the old one and then takes its
 * place.
 */
export class TaskPage {
  private assignment: string;
  private readonly job: string;
  private readonly stage: HTMLElement;
  private readonly noticePlace: HTMLElement;
  private readonly spoken = document.createElement("span");
  private readonly countdown: Countdown;
  private host: FrameHost;
  private saver: DraftSaver;
  private busy = false;
  private edited = false;
  private frame: string;
  private renewing = false;
  private renewed = -Infinity;

  constructor(
    private readonly main: HTMLElement,
    private readonly api: TaskApi,
    private readonly placement = new Placement(api, frameAsker()),
  ) {
    this.assignment = main.dataset.assignment ?? "";
    this.frame = main.dataset.frame ?? "";
    this.job = main.dataset.job ?? "";
    const iframe = main.querySelector("iframe");
    const stage = main.querySelector<HTMLElement>("#stage");
    if (!iframe || !stage) throw new Error("The task page has no stage or no frame.");
    this.stage = stage;
    this.noticePlace = main.querySelector<HTMLElement>("#notice") ?? this.makeNoticePlace();
    this.spoken.className = "visually-hidden";
    this.spoken.setAttribute("role", "status");
    main.append(this.spoken);
    this.saver = this.newSaver();
    // Keys are meant for the task, unless the worker is already somewhere else.
    this.host = this.newHost(iframe, readDraft(main), () => {
      if (document.activeElement === document.body) iframe.focus();
    });
    void this.enter(this.host, main.dataset.probe ?? "");
    this.countdown = new Countdown(() => this.api.skew);
    this.countdown.onTick = (left, say) => this.showTime(left, say);
    this.countdown.onEnd = () => void this.leaseOver();
    this.countdown.start(main.dataset.expiresAt ?? "");
    this.listen();
  }

  private listen(): void {
    this.main.querySelector("#timer")?.setAttribute("aria-live", "off");
    for (const button of this.main.querySelectorAll<HTMLElement>("[data-action]")) {
      button.addEventListener("click", () => void this.act(button.dataset.action ?? ""));
    }
    addEventListener("online", () => this.saver.hurry());
    addEventListener("pagehide", () => void this.saver.flush(true));
    document.addEventListener("visibilitychange", () => this.saver.hurry());
  }

  private makeNoticePlace(): HTMLElement {
    const place = document.createElement("div");
    place.id = "notice";
    this.stage.before(place);
    return place;
  }

  private newSaver(): DraftSaver {
    const assignment = this.assignment;
    return new DraftSaver({
      save: (answer, parting) => this.api.saveDraft(assignment, answer, parting),
      onState: (state) => this.showSaveState(state),
      onRefused: (error) => this.refused(error),
    });
  }

  private newHost(iframe: HTMLIFrameElement, draft: Answer | null, onReady: () => void = () => {}): FrameHost {
    return new FrameHost(iframe, draft, {
      onReady,
      onChange: (answer) => {
        this.edited = true;
        this.saver.change(answer);
      },
      onSubmit: (answer) => void this.submit(answer),
      onScriptError: (text) => this.notice({ kind: "warning", text: `The page of this task reported an error: ${text}`, closable: true }),
      onMediaError: () => this.mediaError(),
    });
  }

  /** Shows the task in its frame, once it is settled where the worker is. */
  private async enter(host: FrameHost, probe?: string): Promise<boolean> {
    const { assignment } = this;
    try {
      await this.placement.settle(assignment, probe);
    } catch (error) {
      if (assignment === this.assignment) this.notEntered(host, error);
      return false;
    }
    // Meanwhile the worker may have gone on.
    if (assignment !== this.assignment || host !== this.host) return false;
    host.load(this.frame);
    return true;
  }

  private notEntered(host: FrameHost, error: unknown): void {
    if (!(error instanceof RequestError) || error.status === 401 || error.leaseEnded) {
      this.failed(error);
      return;
    }
    this.notice({
      kind: "error",
      text: error.status === 0 || error.status >= 500 ? "The server cannot be reached. What you have done is kept; please try again." : error.message,
      button: {
        text: "Try again",
        run: () => {
          this.notice(null);
          void this.enter(host);
        },
      },
    });
  }

  // What the worker does

  private async act(action: string): Promise<void> {
    if (action === "submit") this.host.requestSubmit();
    else if (action === "stop") await this.stop();
    else if (action === "release" || action === "decline") await this.giveBack(action);
  }

  private async submit(answer: Answer): Promise<void> {
    await this.end(async () => {
      // A draft under way must not arrive after the answer.
      await this.saver.stop();
      const outcome = await this.api.submit(this.assignment, answer);
      this.host.submitted();
      return outcome;
    });
  }

  private async giveBack(how: "release" | "decline"): Promise<void> {
    if (this.busy) return;
    const question = how === "decline" ? "Decline this task? It goes to somebody else, and you will not be asked again." : "Release this task? It goes back to the others, and what you did on it is dropped.";
    if ((how === "decline" || this.edited) && !(await ask(question, how === "decline" ? "Decline" : "Release"))) return;
    await this.end(async () => {
      await this.saver.stop();
      return await this.api.giveBack(this.assignment, how);
    });
  }

  private async stop(): Promise<void> {
    if (this.busy) return;
    this.setBusy(true);
    try {
      await this.saver.flush();
      const path = await this.api.stop(this.assignment);
      await this.saver.stop();
      location.assign(path);
    } catch (error) {
      this.setBusy(false);
      this.failed(error);
    }
  }

  /** Ends the assignment in some way and goes on to what follows. */
  private async end(how: () => Promise<Outcome>): Promise<void> {
    if (this.busy) return;
    this.setBusy(true);
    this.notice(null);
    try {
      this.follow(await how());
    } catch (error) {
      // The assignment goes on, and so do its drafts.
      this.saver = this.newSaver();
      this.failed(error);
    } finally {
      this.setBusy(false);
    }
  }

  private async leaseOver(): Promise<void> {
    await this.saver.stop();
    this.showSaveState("clean");
    this.host.rejected("The time for this task is over.");
    this.main.classList.add("ended");
    this.notice({ kind: "warning", text: "The time for this task is over, and it went back to the others.", button: { text: "Next task", run: () => void this.nextTask() } });
  }

  private async nextTask(): Promise<void> {
    if (this.busy) return;
    this.setBusy(true);
    try {
      this.follow(await this.api.next(this.job));
    } catch (error) {
      if (error instanceof RequestError && error.status === 404) location.assign("/");
      else this.failed(error);
    } finally {
      this.setBusy(false);
    }
  }

  // What follows

  private follow(outcome: Outcome): void {
    if (outcome.redirect !== undefined) location.assign(outcome.redirect);
    else if (outcome.next) this.moveTo(outcome.next);
    else this.finish(outcome.jobDone);
  }

  private moveTo(task: NextTask): void {
    const old = this.host;
    this.assignment = task.assignment;
    this.frame = task.frame;
    this.edited = false;
    this.renewed = -Infinity;
    this.saver = this.newSaver();
    this.main.classList.remove("ended");
    this.showSaveState("clean");
    this.notice(null);
    this.showTitle(task);
    this.countdown.start(task.expiresAt);
    history.replaceState(null, "", `/tasks/${encodeURIComponent(task.assignment)}`);
    const iframe = document.createElement("iframe");
    iframe.setAttribute("sandbox", "allow-scripts allow-forms");
    iframe.title = old.iframe.title || "Task";
    iframe.className = "coming";
    let patience: ReturnType<typeof setTimeout> | undefined = undefined;
    const swap = (): void => {
      clearTimeout(patience);
      if (!iframe.classList.contains("coming")) return;
      iframe.classList.remove("coming");
      old.dispose();
      iframe.focus();
    };
    this.host = this.newHost(iframe, task.draft, swap);
    this.stage.append(iframe);
    void this.enter(this.host, task.probe).then((entered) => {
      if (entered) patience = setTimeout(swap, PATIENCE_MS);
      else swap();
    });
  }

  private showTitle(task: NextTask): void {
    this.main.dataset.assignment = task.assignment;
    this.main.dataset.expiresAt = task.expiresAt;
    if (task.title === "") return;
    const heading = this.main.querySelector(".task-title h1") ?? this.main.querySelector("h1");
    if (heading) heading.textContent = task.title;
    const description = this.main.querySelector(".task-title p");
    if (description) description.textContent = task.description;
    const old = this.main.dataset.title ?? "";
    document.title = old !== "" && document.title.includes(old) ? document.title.replace(old, task.title) : task.title;
    this.main.dataset.title = task.title;
    this.spoken.textContent = `Next task: ${task.title}`;
  }

  private finish(jobDone: boolean): void {
    this.countdown.stop();
    this.host.dispose();
    this.main.querySelector(".task-actions")?.setAttribute("hidden", "");
    this.main.querySelector("#timer")?.replaceChildren();
    this.showSaveState("clean");
    history.replaceState(null, "", "/");
    this.stage.replaceChildren(
      make("div", { class: "card finish" },
        make("h2", {}, jobDone ? "This job is done" : "No more tasks for you right now"),
        make("p", {}, jobDone ? "Everything in it is labelled. Thank you." : "Somebody else is working on what is left, or you have seen it all. Thank you."),
        make("a", { class: "button primary", href: "/" }, "Back to your jobs"),
      ),
    );
    this.stage.querySelector("a")?.focus();
  }

  // What goes wrong

  private failed(error: unknown): void {
    if (error instanceof RequestError) this.refused(error);
    else this.notice({ kind: "error", text: "Something went wrong in this page. Please try again.", closable: true });
  }

  private refused(error: RequestError): void {
    if (error.status === 401) {
      location.assign("/signin");
      return;
    }
    if (error.leaseEnded) {
      this.countdown.stop();
      void this.leaseOver();
      return;
    }
    const text = error.passing && !error.elsewhere ? "The answer could not be handed in: the server cannot be reached. Nothing is lost; please try again." : error.message;
    this.host.rejected(text);
    this.notice({ kind: "error", text, closable: true });
  }

  /**
   * Media do not open any more. Most often the worker's address has changed: a VPN
   * that reconnected, another network. So it is settled anew where they are, and
   * the frame is loaded again with what was done so far. That goes by itself once;
   * if it did not help, or is needed again at once, the worker is asked.
   */
  private mediaError(): void {
    if (this.renewing) return;
    if (performance.now() - this.renewed > CALM_MS) {
      void this.renew();
      return;
    }
    this.notice({
      kind: "error",
      text: "The picture could not be opened from this address. Media open only from the place where you opened the task, and only while it is yours. What you have done is kept.",
      button: { text: "Try again", run: () => void this.renew() },
    });
  }

  private async renew(): Promise<void> {
    if (this.renewing) return;
    this.renewing = true;
    this.renewed = performance.now();
    this.notice({ kind: "info", text: "The media did not open. They are being asked for again from where you are now; what you have done is kept." });
    const entered = await this.enter(this.host);
    this.renewing = false;
    if (entered) this.notice(null);
  }

  // What is shown

  private setBusy(busy: boolean): void {
    this.busy = busy;
    this.main.toggleAttribute("aria-busy", busy);
    for (const button of this.main.querySelectorAll<HTMLButtonElement>("button[data-action]")) button.disabled = busy;
  }

  private showSaveState(state: SaveState): void {
    const place = this.main.querySelector<HTMLElement>("#save-state");
    if (!place) return;
    place.dataset.state = state;
    if (place.textContent !== SAVE_TEXT[state]) place.textContent = SAVE_TEXT[state];
  }

  private showTime(left: number, say: string): void {
    const place = this.main.querySelector<HTMLElement>("#timer");
    if (place) {
      const text = clockText(left);
      if (place.textContent !== text) place.textContent = text;
      place.dataset.state = left <= 60_000 ? "urgent" : left <= 300_000 ? "soon" : "calm";
    }
    if (say !== "") this.spoken.textContent = say;
  }

  private notice(notice: Notice | null): void {
    const place = this.noticePlace;
    if (!notice) {
      place.replaceChildren();
      return;
    }
    const { kind, text, button, closable } = notice;
    const box = make("div", { class: `alert ${kind}`, role: kind === "info" ? "status" : "alert" }, make("p", {}, text));
    if (button) box.append(make("button", { class: "button small", type: "button", run: button.run }, button.text));
    if (closable) box.append(make("button", { class: "button quiet small", type: "button", label: "Close", run: () => this.notice(null) }, "✕"));
    place.replaceChildren(box);
  }
}

function readDraft(main: HTMLElement): Answer | null {
  try {
    const value: unknown = JSON.parse(main.querySelector("#draft")?.textContent ?? "null");
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

/** Asks in a dialog of the page; the browser's own would block the frame and look foreign. */
function ask(question: string, yes: string): Promise<boolean> {
  return new Promise((resolve) => {
    const yesButton = make("button", { class: "button primary", value: "yes" }, yes);
    const buttons = make("div", { class: "ask-buttons" }, make("button", { class: "button", value: "no" }, "Cancel"), yesButton);
    const dialog = make("dialog", { class: "ask" }, make("form", { method: "dialog" }, make("p", {}, question), buttons)) as HTMLDialogElement;
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
