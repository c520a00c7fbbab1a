// Pictures of every element and page, to be looked at by people: npm run screenshots.

import { existsSync } from "node:fs";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Site, WEB, frameDocument, openBrowser } from "./browser/harness.js";
import { png } from "./browser/pictures.js";
import { TEMPLATES } from "./browser/templates.js";
import { exampleDocument, gallery } from "./gallery.js";

const OUT = process.env.FIDUCIAL_SCREENSHOTS ?? join(WEB, ".shots");

/** As on a laptop by day and by night, on a phone, and enlarged to twice the size. */
const LOOKS = [
  { name: "light", dark: false, width: 1280, height: 800 },
  { name: "dark", dark: true, width: 1280, height: 800 },
  { name: "phone", dark: false, width: 390, height: 800, touch: true },
  { name: "double", dark: true, width: 640, height: 400, ratio: 2 },
];

async function main(): Promise<void> {
  await mkdir(OUT, { recursive: true });
  const site = await Site.start();
  const photo = process.env.PHOTO && existsSync(process.env.PHOTO) ? await readFile(process.env.PHOTO) : png(800, 533);
  site.handlers.set("/photo.jpg", (_q, response) => void response.writeHead(200, { "Access-Control-Allow-Origin": "*" }).end(photo));
  for (const [name, template] of Object.entries(TEMPLATES)) site.pages.set(`/${name}`, frameDocument(template, '<meta name="color-scheme" content="light dark">'));
  site.pages.set("/tasks/a1/frame", frameDocument(TEMPLATES["bounding-box"] ?? "", '<meta name="color-scheme" content="light dark">'));
  for (const file of await readdir(join(WEB, "test", "pages"))) site.pages.set(`/pages/${file}`, await readFile(join(WEB, "test", "pages", file), "utf8"));
  const paths = [...site.pages.keys()].filter((path) => !path.startsWith("/tasks/"));
  for (const look of LOOKS) {
    const browser = await openBrowser(look);
    const page = await browser.context.newPage();
    page.on("pageerror", (error) => console.error(error.message));
    for (const path of paths) {
      await page.goto(site.origin + path);
      if (look.dark) await page.evaluate(`document.querySelector("crowd-form") && (document.documentElement.dataset.crowdTheme = "dark")`);
      await page.waitForTimeout(250);
      const tool = page.locator("crowd-bounding-box");
      if ((await tool.count()) > 0) {
        await page.keyboard.press("]");
        await page.mouse.move(640, 300);
      }
      await page.waitForTimeout(100);
      await page.screenshot({ path: join(OUT, `${look.name}-${path.slice(1).replaceAll("/", "-").replace(".html", "")}.png`) });
    }
    for (const [tag, example] of gallery()) {
      site.pages.set("/example", exampleDocument(example, look.dark ? "dark" : "light"));
      await page.setViewportSize({ width: look.width, height: Math.max(look.height, Number(/\| (\d+) \|/.exec(example)?.[1] ?? 600)) });
      await page.goto(`${site.origin}/example`);
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(OUT, `${look.name}-element-${tag}.png`) });
    }
    await browser.close();
  }
  await site.stop();
}

void main();
