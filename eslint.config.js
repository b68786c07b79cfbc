import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'apps/console/src/api/schema.ts',
      'dist/',
      'dist.*/',
      'node_modules/',
      'coverage/',
      '.haldir/',
      '**/*.cjs',
    ],
  },
  {
    files: ['**/*.{ts,tsx,js,mjs}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['eslint.config.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, attributes: false } },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none', ignoreRestSiblings: true },
      ],
      // Nest's interfaces and our repositories are async by contract; a body without await is normal there.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // An empty Nest module is a class without members.
      '@typescript-eslint/no-extraneous-class': 'off',
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Settings come from HaldirConfig; only main.ts, scripts and tests read the environment.',
        },
        { object: 'Date', property: 'now', message: 'Time comes from Clock (or performance.now() for durations).' },
      ],
    },
  },
  {
    files: [
      ...['apps/*/src/main.ts', 'libs/kernel/src/**', 'libs/runtime/src/**', 'scripts/**', 'test/**', '**/*spec.ts'],
      // What runs in a browser.
      ...['libs/*/src/http/page/**', 'apps/console/**'],
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // Parsed answers are of any shape; tests and scripts look into them and fail on what is not there.
    files: ['test/**', '**/*spec.ts', 'scripts/**'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  { files: ['scripts/**'], rules: { '@typescript-eslint/no-explicit-any': 'off' } },
  {
    files: ['{apps,libs,scripts}/**'],
    ignores: ['**/*spec.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ObjectExpression > SpreadElement > ObjectExpression',
          message: 'Write the members themselves: V8 takes microseconds for an object that is spread into another.',
        },
      ],
    },
  },
);
