// `npm run kernels`: compiles kernels.as.ts and writes it as src/kernels_wasm.ts.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const FLAGS = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--initialMemory', '1', '--noAssert'];
const root = new URL('../', import.meta.url);

/** The text of src/kernels_wasm.ts. */
export async function kernelsModule() {
  const source = fileURLToPath(new URL('kernels/kernels.as.ts', root));
  let binary;
  const { error, stderr } = await asc.main([source, ...FLAGS, '--outFile', 'kernels.wasm'], {
    writeFile: (_, contents) => {
      binary = contents;
    },
  });
  if (error) throw new Error(stderr.toString());
  const base64 = Buffer.from(binary).toString('base64');
  const lines = base64.match(/.{1,90}/g).map((line) => `  '${line}'`);
  return `// Made of kernels/kernels.as.ts by \`npm run kernels\`.\nexport const kernelsWasm =\n${lines.join(' +\n')};\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(new URL('src/kernels_wasm.ts', root), await kernelsModule());
