import { Flex, Select, Typography } from 'antd'

import type { Schemas } from '../../api/client'
import { patternsOf, showPatterns, type Draft } from './draft'
import { useTexts } from './texts'

/** For which legal entities reviewers are shown what is noticeable about how its people look. */
export function Patterns({ permissions, draft, set }: { permissions: Schemas['Permissions']; draft: Draft; set: (d: Draft) => void }) {
  const t = useTexts()
  return (
    <Flex vertical gap={12}>
      <Typography.Text>{t('patternsHint')}</Typography.Text>
      {permissions.legal_entities.map((e) => {
        const shown = patternsOf(draft, e.id)
        return (
          <Flex key={e.id} gap={12} wrap align="center">
            <Typography.Text strong style={{ flex: '0 1 240px' }}>{e.name}</Typography.Text>
            <Select
              aria-label={`${t('patterns')}: ${e.name}`}
              style={{ flex: '0 1 260px' }}
              value={shown === undefined ? 'default' : shown ? 'shown' : 'hidden'}
              onChange={(v) => set(showPatterns(draft, e.id, v === 'default' ? undefined : v === 'shown'))}
              options={[
                { value: 'default', label: t('patternsDefault', { what: t(e.patterns_by_default ? 'patternsShown' : 'patternsHidden') }) },
                { value: 'shown', label: t('patternsShown') },
                { value: 'hidden', label: t('patternsHidden') },
              ]}
            />
          </Flex>
        )
      })}
    </Flex>
  )
}
