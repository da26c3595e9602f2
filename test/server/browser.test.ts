import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drafting, failures, serve, textModel } from './helpers.js';

/** The system's Chromium: none is downloaded. CHROMIUM names another. */
const executablePath = [
  process.env.CHROMIUM ?? '',
  ...['chromium', 'chromium-browser', 'google-chrome'].map((name) => `/usr/bin/${name}`),
].find(existsSync);
if (!executablePath)
  process.stderr.write('Skipped: no Chromium in /usr/bin (CHROMIUM names another).\n');

const PHONE = { width: 360, height: 640 };
const DESKTOP = { width: 1280, height: 800 };

describe.skipIf(!executablePath)('the page in Chromium', () => {
  let browser: Browser;
  let url: string;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
    const profiles = [
      { name: 'default', method: drafting, costs: null },
      { name: 'plain', method: { name: 'autoregressive' as const }, costs: null },
    ];
    ({ url } = await serve(await textModel({ contextLength: 4096 }), { profiles }));
  });
  afterAll(() => browser?.close());

  /** What the page's own policy refused and what failed in it. */
  async function open(viewport: typeof PHONE, colorScheme: 'light' | 'dark') {
    const page = await browser.newPage({ viewport, colorScheme });
    const faults: string[] = [];
    page.on('console', (said) => {
      if (said.type() === 'error') faults.push(said.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(url);
    await page.getByText('decodes with skip').waitFor();
    return { page, faults };
  }

  /** Says something with nothing but keys, and waits for the answer. */
  async function say(page: Page, text: string, tokens: number) {
    await page.evaluate(`document.querySelector('#tokens').value = ${tokens}`);
    await page.keyboard.type(text);
    await page.keyboard.press('Enter');
  }

  it.each([
    ['phone', PHONE, 'light'],
    ['phone', PHONE, 'dark'],
    ['desktop', DESKTOP, 'light'],
    ['desktop', DESKTOP, 'dark'],
  ] as const)('fits a %s of %j, %s, and is used with keys alone', async (_name, size, scheme) => {
    const { page, faults } = await open(size, scheme);
    await say(page, 'Hello', 200);
    await page.getByText('The answer is complete.').waitFor();
    expect(await page.locator('.model .accepted').count()).toBeGreaterThan(0);
    await expect(page.locator('.model .note').textContent()).resolves.toMatch(
      /^200 tokens, [\d.]+ tokens\/s, [\d.]+x, \d+ of \d+ drafted ones accepted/,
    );
    const [, rate = ''] =
      /tokens, (.*x), /.exec((await page.locator('.model .note').textContent())!) ?? [];
    await expect(page.locator('#speed').textContent()).resolves.toBe(rate);
    // The cursor is where the next message goes.
    expect(await page.evaluate('document.activeElement.id')).toBe('text');
    const { wide, high } = await page.evaluate<{ wide: number; high: number }>(`({
      wide: document.documentElement.scrollWidth - window.innerWidth,
      high: document.querySelector('#log').clientHeight,
    })`);
    expect(wide).toBeLessThanOrEqual(0);
    expect(high).toBeGreaterThan(100);
    const style = (selector: string, property: string) =>
      page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).${property}`);
    const text = await style('body', 'color');
    const ground = await style('body', 'backgroundColor');
    const accepted = await style('.model .accepted', 'backgroundColor');
    expect(ratio(text, ground)).toBeGreaterThan(7);
    expect(ratio(text, accepted)).toBeGreaterThan(7);
    expect(luminance(ground) < 0.1).toBe(scheme === 'dark');
    expect(faults).toEqual([]);
    await page.close();
  });

  it('stops with Escape, begins anew, and takes the chosen profile', async () => {
    const { page, faults } = await open(DESKTOP, 'light');
    await say(page, 'Hello', 3500);
    // A line break is there and not visible.
    await page.locator('.model span').nth(20).waitFor({ state: 'attached' });
    await page.keyboard.press('Escape');
    await page.locator('.note', { hasText: 'Stopped.' }).waitFor();
    await page.getByRole('button', { name: 'New conversation' }).click();
    expect(await page.locator('article').count()).toBe(0);
    await page.getByText('Settings').click();
    await page.getByLabel('Profile').selectOption('plain');
    await page.getByLabel('Message', { exact: true }).focus();
    await say(page, 'Hello', 30);
    await page.locator('.note', { hasText: 'profile plain' }).waitFor();
    expect(await page.locator('.model .accepted').count()).toBe(0);
    expect(faults).toEqual([]);
    await page.close();
  });

  it('is named for a screen reader', async () => {
    const { page } = await open(DESKTOP, 'light');
    await page.getByText('Settings').click();
    const names = await page.evaluate<string[]>(
      `[...document.querySelectorAll('input, textarea, select, button')]
        .map((one) => (one.labels?.[0] ?? one).textContent.trim())`,
    );
    expect(names.length).toBeGreaterThan(8);
    expect(names).not.toContain('');
    await expect(page.getByRole('log').getAttribute('aria-label')).resolves.toBe('Conversation');
    await page.close();
  });

  it('nothing failed within', () => {
    expect(failures).toEqual([]);
  });
});

/** Relative luminance of `rgb(r, g, b)` (WCAG 2). */
function luminance(colour: string): number {
  const [r, g, b] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** Contrast of two colours (WCAG 2). */
function ratio(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}
