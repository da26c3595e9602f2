import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { MARKUP } from './markup.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

/** The chat at `/`: one file, which needs nothing but this server. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>sspec</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>${MARKUP}<script>${SCRIPT}</script>
</body>
</html>
`;

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing runs in the page but its own script, and it speaks to nobody but its server. */
const POLICY = [
  "default-src 'none'",
  `script-src ${hash(SCRIPT)}`,
  `style-src ${hash(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function addPage(app: FastifyInstance): void {
  app.get('/', async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', POLICY)
      .header('referrer-policy', 'no-referrer')
      .header('cache-control', 'no-cache')
      .send(PAGE),
  );
}
