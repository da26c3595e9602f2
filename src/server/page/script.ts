/**
 * The page's script. It stands in a module of its own as text: the page has no build step. What the model says is set as text,
 * never as HTML.
 */
export const SCRIPT = String.raw`
'use strict';
const byId = (id) => document.getElementById(id);
const log = byId('log');
/** What was said so far; a new conversation is a new list. */
let messages = [];
let running = null;
let chat = false;
/** Tokens a second without drafts, as the server measured them; null where it could not. */
let baseline = null;

const headers = () => {
  const key = byId('key').value.trim();
  return Object.assign({ 'content-type': 'application/json' }, key === '' ? {} : { authorization: 'Bearer ' + key });
};

const element = (name, className, text) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
};

/** Adds an entry to the conversation; returns where its text goes, and the line below it. */
const addEntry = (className, who) => {
  const item = element('article', className);
  const said = element('div', 'said');
  const note = element('div', 'note');
  item.append(element('h2', '', who), said, note);
  log.append(item);
  return { item, said, note };
};

const errorOf = async (response) => {
  try {
    return (await response.json()).error.message;
  } catch {
    return 'The server answered with ' + response.status + '.';
  }
};

const loadModel = async () => {
  const response = await fetch('v1/models', { headers: headers() });
  if (response.status === 401) {
    byId('about').textContent = 'This server asks for an API key: give it under Settings.';
    return false;
  }
  if (!response.ok) throw new Error(await errorOf(response));
  const model = (await response.json()).data[0];
  chat = model.sspec.chat;
  byId('model').textContent = model.id;
  baseline = model.sspec.autoregressive_tokens_per_second;
  byId('about').textContent = model.sspec.precision + ', decodes with ' + model.sspec.method + ', context of '
    + model.sspec.context_length + ' tokens.' + (chat ? '' : ' The model has no chat template: it continues your text.')
    + (baseline ? ' Speedups are against ' + baseline.toFixed(1) + ' tokens/s, measured here by decoding one token at a time after a short text.' : '');
  const { profiles } = model.sspec;
  byId('profiles').hidden = profiles.length < 2;
  byId('profile').replaceChildren(...profiles.map((value) => Object.assign(element('option', '', value), { value })));
  byId('label').textContent = chat ? 'Message' : 'Text to continue';
  for (const one of document.querySelectorAll('.chat')) one.hidden = !chat;
  return true;
};

const bodyFor = (text) => {
  const seed = byId('seed').value;
  const common = {
    stream: true,
    stream_options: { include_usage: true },
    temperature: Number(byId('temperature').value),
    max_tokens: Number(byId('tokens').value),
  };
  if (seed !== '') common.seed = Number(seed);
  if (!byId('profiles').hidden) common.profile = byId('profile').value;
  if (!chat) return Object.assign(common, { prompt: text });
  const system = byId('system').value.trim();
  const before = system === '' ? [] : [{ role: 'system', content: system }];
  return Object.assign(common, { messages: before.concat(messages, [{ role: 'user', content: text }]) });
};

/** The events of an answer, as they come. */
async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    held += value;
    const blocks = held.split('\n\n');
    held = blocks.pop();
    for (const block of blocks) {
      const data = block.replace(/^data: /, '');
      if (data !== '[DONE]') yield JSON.parse(data);
    }
  }
}

/** A rate, and how many times that of the machine without drafts it is. */
const rateOf = (tokens, seconds) => {
  const rate = tokens / seconds;
  return rate.toFixed(1) + ' tokens/s' + (baseline ? ', ' + (rate / baseline).toFixed(2) + 'x' : '');
};

/** Shows an answer token by token; returns its text. */
const show = async (response, entry) => {
  const text = [];
  let tokens = 0;
  let first = 0;
  for await (const event of eventsOf(response)) {
    if (event.error) throw new Error(event.error.message);
    if (event.usage) {
      const own = event.usage.sspec;
      const seconds = own.decode_seconds;
      const count = event.usage.completion_tokens;
      baseline = event.sspec.autoregressive_tokens_per_second;
      keepEnd(() => {
        const rate = seconds > 0 ? rateOf(count - 1, seconds) : '';
        // The server's clock: until here the network's pauses counted too.
        if (rate !== '') byId('speed').textContent = rate;
        entry.note.textContent = count + ' tokens'
        + (rate === '' ? '' : ', ' + rate)
        + ', ' + own.accepted_tokens + ' of ' + own.proposed_tokens + ' drafted ones accepted, seed ' + event.sspec.seed
        + (byId('profiles').hidden ? '' : ', profile ' + event.sspec.profile);
      });
    }
    if (!event.sspec || !event.sspec.pieces) continue;
    keepEnd(() => {
      for (const piece of event.sspec.pieces) {
        text.push(piece.text);
        entry.said.append(element('span', piece.accepted ? 'accepted' : '', piece.text));
      }
    });
    if (first === 0) first = performance.now();
    else {
      tokens += event.sspec.tokens;
      const seconds = (performance.now() - first) / 1000;
      if (seconds > 0) byId('speed').textContent = rateOf(tokens, seconds);
    }
  }
  return text.join('');
};

// Whoever reads the end goes on reading it; whoever scrolled up stays there.
const keepEnd = (change) => {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  change();
  if (atEnd) log.scrollTop = log.scrollHeight;
};

const send = async (text) => {
  const conversation = messages;
  running = new AbortController();
  byId('send').disabled = true;
  byId('stop').disabled = false;
  byId('status').textContent = 'The model answers.';
  const question = addEntry('user', chat ? 'You' : 'Text');
  question.said.textContent = text;
  const entry = addEntry('model', chat ? 'Model' : 'Continued');
  entry.item.setAttribute('aria-busy', 'true');
  log.scrollTop = log.scrollHeight;
  try {
    if (byId('model').textContent === '' && !(await loadModel())) throw new Error('The API key is missing or wrong.');
    const response = await fetch(chat ? 'v1/chat/completions' : 'v1/completions', {
      method: 'POST',
      headers: headers(),
      body: JSON.stringify(bodyFor(text)),
      signal: running.signal,
    });
    if (!response.ok) throw new Error(await errorOf(response));
    const answer = await show(response, entry);
    conversation.push({ role: 'user', content: text }, { role: 'assistant', content: answer });
    byId('status').textContent = 'The answer is complete.';
  } catch (error) {
    const stopped = error.name === 'AbortError';
    if (stopped) {
      conversation.push({ role: 'user', content: text }, { role: 'assistant', content: entry.said.textContent });
    }
    entry.note.textContent = stopped ? 'Stopped.' : error.message;
    if (!stopped) entry.note.className = 'note fault';
    byId('status').textContent = entry.note.textContent;
  } finally {
    entry.item.removeAttribute('aria-busy');
    running = null;
    byId('send').disabled = false;
    byId('stop').disabled = true;
    byId('text').focus();
  }
};

byId('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = byId('text').value;
  if (running || text.trim() === '') return;
  byId('text').value = '';
  send(text);
});
byId('text').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId('form').requestSubmit();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && running) running.abort();
});
byId('stop').addEventListener('click', () => running && running.abort());
byId('clear').addEventListener('click', () => {
  if (running) running.abort();
  messages = [];
  log.replaceChildren();
  byId('speed').textContent = '';
  byId('status').textContent = 'A new conversation.';
  byId('text').focus();
});
byId('key').addEventListener('change', () => loadModel().catch(() => {}));
loadModel().catch((error) => {
  byId('about').textContent = error.message;
});
`;
