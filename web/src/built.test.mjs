import { readdirSync, readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'

const folder = new URL('../dist/assets/', import.meta.url)

test('each asset that was built has its form in brotli beside it', () => {
  const names = readdirSync(folder)
  const assets = names.filter((name) => /\.(js|css)$/.test(name))
  expect(assets.length).toBeGreaterThan(20)
  for (const name of assets) {
    expect(brotliDecompressSync(readFileSync(new URL(`${name}.br`, folder))).equals(readFileSync(new URL(name, folder))), name).toBe(true)
  }
  expect(names.filter((name) => name.endsWith('.br')).length).toBe(assets.length)
})
