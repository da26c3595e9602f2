import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { PAGE } from '../../src/server/page/page.js';
import { SCRIPT } from '../../src/server/page/script.js';
import { STYLE } from '../../src/server/page/style.js';
import { drafting, serve, textModel, until } from './helpers.js';

/** The page in a document of linkedom, its script running against a server. */
function open(url: string) {
  const { document, window } = parseHTML(PAGE);
  const { Event } = window as unknown as { Event: typeof globalThis.Event };
  const context = {
    ...{ document, performance, AbortController, TextDecoderStream },
    fetch: (path: string, init?: RequestInit) => fetch(`${url}/${path}`, init),
  };
  const form = document.getElementById('form')!;
  Object.assign(form, { requestSubmit: () => form.dispatchEvent(new Event('submit')) });
  for (const one of document.querySelectorAll('textarea, input, button'))
    Object.assign(one, { focus: () => {} });
  new Script(SCRIPT).runInNewContext(context);
  const byId = (id: string) =>
    document.getElementById(id) as unknown as { value: string; textContent: string };
  const say = async (text: string) => {
    byId('text').value = text;
    form.dispatchEvent(new Event('submit', { cancelable: true }));
    await until(() => byId('status').textContent !== 'The model answers.');
  };
  return { document, byId, say };
}

describe('the page', () => {
  it('lets nothing run but its own script and style', async () => {
    const { url } = await serve(await textModel());
    const answer = await fetch(`${url}/`);
    const policy = answer.headers.get('content-security-policy')!;
    const html = await answer.text();
    expect(html).toBe(PAGE);
    const { document } = parseHTML(html);
    for (const [name, text] of [
      ['script', SCRIPT],
      ['style', STYLE],
    ] as const) {
      const elements = [...document.querySelectorAll(name)];
      expect(elements.map((one) => one.textContent)).toEqual([text]);
      const hash = createHash('sha256').update(text).digest('base64');
      expect(policy).toContain(`${name}-src 'sha256-${hash}'`);
    }
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    // No handlers or styles on elements, which the policy would not let through, and nothing from elsewhere.
    for (const element of document.querySelectorAll('*'))
      for (const { name } of element.attributes) expect(name).not.toMatch(/^(on|style$|src$)/);
    expect(html).not.toMatch(/https?:\/\//);
  });

  it('has a label for every field and a name for every region', () => {
    const { document } = parseHTML(PAGE);
    for (const field of document.querySelectorAll('input, textarea')) {
      const label = field.closest('label') ?? document.querySelector(`label[for=${field.id}]`);
      expect(label?.textContent.trim(), field.id).not.toBe('');
    }
    expect(document.querySelector('html')?.getAttribute('lang')).toBe('en');
    expect(document.querySelector('[role=log]')?.getAttribute('aria-label')).toBe('Conversation');
    expect(document.querySelector('[role=status]')).not.toBeNull();
    expect(STYLE).toContain('prefers-color-scheme: dark');
  });

  it.each([true, false])('shows an answer by token (chat template: %s)', async (chat) => {
    const model = await textModel({ chat });
    const { url } = await serve(model, { method: drafting });
    const { document, byId, say } = open(url);
    await until(() => byId('model').textContent === 'mini');
    expect(byId('about').textContent).toMatch(/against [\d.]+ tokens\/s, measured here/);
    expect(byId('label').textContent).toBe(chat ? 'Message' : 'Text to continue');
    byId('tokens').value = '60';
    byId('seed').value = '5';
    await say('<b>Hello</b>');
    expect(byId('status').textContent).toBe('The answer is complete.');
    const [said, answer] = [...document.querySelectorAll('.said')];
    expect(said?.textContent).toBe('<b>Hello</b>');
    expect(said?.children).toHaveLength(0);
    expect(answer?.textContent.length).toBeGreaterThan(20);
    const accepted = answer?.querySelectorAll('.accepted').length ?? 0;
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(answer!.children.length);
    // Tokens are text whatever they spell.
    for (const one of answer!.children) expect(one.children).toHaveLength(0);
    expect(document.querySelector('.model .note')?.textContent).toMatch(
      /^60 tokens, [\d.]+ tokens\/s, [\d.]+x, \d+ of \d+ drafted ones accepted, seed 5$/,
    );
    if (!chat) return;
    await say('And then?');
    const total = await (await fetch(`${url}/metrics`)).text();
    // The second message brought the first along, of which the keys and values were known.
    expect(Number(/cached_prompt_tokens_total (\d+)/.exec(total)?.[1])).toBeGreaterThan(30);
  });

  it('lets one choose among profiles', async () => {
    const profiles = [
      { name: 'default', method: drafting, costs: null },
      { name: 'plain', method: { name: 'autoregressive' as const }, costs: null },
    ];
    const { url } = await serve(await textModel(), { profiles });
    const { document, byId, say } = open(url);
    const choice = document.getElementById('profiles')!;
    expect(choice.hasAttribute('hidden')).toBe(true);
    await until(() => byId('model').textContent === 'mini');
    expect(choice.hasAttribute('hidden')).toBe(false);
    const names = [...document.querySelectorAll('option')].map((one) => one.textContent);
    expect(names).toEqual(['default', 'plain']);
    byId('tokens').value = '20';
    document.querySelectorAll('option')[1]!.setAttribute('selected', '');
    await say('Hello');
    expect(document.querySelector('.model .note')?.textContent).toMatch(
      /0 of 0 drafted ones accepted, seed \d+, profile plain$/,
    );
  });

  it('tells what went wrong', async () => {
    const { url } = await serve(await textModel(), { apiKey: 'secret' });
    const { document, byId, say } = open(url);
    await until(() => byId('about').textContent.includes('API key'));
    await say('Hello');
    expect(document.querySelector('.fault')?.textContent).toMatch(/API key/);
    byId('key').value = 'secret';
    byId('tokens').value = '3';
    await say('Hello');
    expect(byId('status').textContent).toBe('The answer is complete.');
    await say('never');
    expect(byId('status').textContent).toMatch(/not that/);
  });
});
