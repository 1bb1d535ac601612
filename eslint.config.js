import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Time and chance are parameters (Clock): only the edges may ask the machine for them. */
const clockRule = {
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'performance', 'process'].map(
      (name) => ({
        name,
        message:
          'Pass a Clock (or the value) in: below main and the adapters time, chance and the process are parameters.',
      }),
    ),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Take the time from the Clock that is passed in.' },
    { object: 'Math', property: 'random', message: 'Take chance as a parameter.' },
    { object: 'AbortSignal', property: 'timeout', message: 'Use clock.deadline.' },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        { name: 'p-retry', message: 'Retries belong to the adapters (kubernetes, ssh).' },
        { name: 'node:timers', message: 'Pass a Clock in.' },
        { name: 'node:timers/promises', message: 'Pass a Clock in.' },
      ],
    },
  ],
  'no-restricted-syntax': [
    'error',
    {
      selector: "NewExpression[callee.name='Date'][arguments.length=0]",
      message: 'Take the time from the Clock that is passed in.',
    },
  ],
};

export default defineConfig(
  { ignores: ['dist', '.quick-build', 'node_modules', 'coverage', '.dependency-cruiser.cjs'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/return-await': ['error', 'always'],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true } }],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 20],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: [
      'src/kubernetes/**',
      'src/ssh/**',
      'src/main.ts',
      'src/systemClock.ts',
      'src/cli/**',
      'src/sandbox/hosts/**',
      'src/sandbox/http/**',
      'src/sandbox/systemTimeline.ts',
    ],
    rules: clockRule,
  },
  {
    files: ['src/cli/**/*.ts'],
    rules: {
      ...clockRule,
      'no-restricted-globals': [
        'error',
        ...clockRule['no-restricted-globals'].slice(1).filter((rule) => rule.name !== 'process'),
      ],
    },
  },
  { files: ['eslint.config.js', 'test/**/vitest.config.ts'], rules: { 'no-restricted-exports': 'off' } },
  { files: ['test/**/*.ts'], rules: { 'max-lines': 'off' } },
);
