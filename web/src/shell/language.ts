import i18next from 'i18next'
import { useCallback } from 'react'
import { initReactI18next, useTranslation } from 'react-i18next'

export type Language = 'zh' | 'en'

const KEY = 'lethe.language'

function preferred(): Language {
  const kept = localStorage.getItem(KEY)
  if (kept === 'zh' || kept === 'en') return kept
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

void i18next.use(initReactI18next).init({
  lng: preferred(),
  fallbackLng: false,
  resources: {},
  interpolation: { escapeValue: false }, // React escapes
  initAsync: false,
  showSupportNotice: false,
})
document.documentElement.lang = preferred() === 'zh' ? 'zh-CN' : 'en'

export function language(): Language {
  return i18next.language === 'en' ? 'en' : 'zh'
}

export function setLanguage(next: Language) {
  localStorage.setItem(KEY, next)
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
  void i18next.changeLanguage(next)
}

type Values = Record<string, string | number>

/** The texts of one folder, in both languages: a key that one of them lacks does not compile. */
export function texts<T extends Record<string, string>>(name: string, zh: T, en: { [K in keyof T]: string }) {
  i18next.addResourceBundle('zh', name, zh)
  i18next.addResourceBundle('en', name, en)
  return function useTexts() {
    const { t } = useTranslation(name)
    return useCallback((key: keyof T & string, values?: Values) => t(key, values ?? {}) as string, [t])
  }
}

/** Several words as a list, as the language has it. */
export const listed = (parts: string[]) => parts.join(language() === 'zh' ? '、' : ', ')
