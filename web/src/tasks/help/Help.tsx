import { Card, Collapse, Descriptions, Flex } from 'antd'
import { Link } from 'react-router'

import { language, texts } from '../../shell/language'
import { useMe } from '../../shell/me'
import { guides, questions, words } from './content'

const useTexts = texts(
  'help',
  { title: '帮助', guides: '怎么做', words: '状态是什么意思', questions: '常见问题', open: '打开这个功能', api: '给程序员：接口文档' },
  { title: 'Help', guides: 'How to', words: 'What the words mean', questions: 'Questions', open: 'Open it', api: 'For programmers: the API' },
)

export default function Help() {
  const t = useTexts()
  const role = useMe().data?.role
  const in_ = language()
  return (
    <>
      <h1>{t('title')}</h1>
      <Flex vertical gap={16}>
        <Card size="small" title={<h2 className="plain">{t('guides')}</h2>}>
          <Collapse
            ghost
            defaultActiveKey={[0]}
            items={guides
              .filter((g) => !g.roles || (role && g.roles.includes(role)))
              .map((g, i) => ({
                key: i,
                label: g[in_][0],
                children: (
                  <>
                    <p>{g[in_][1]}</p>
                    {g.to && <Link to={g.to}>{t('open')}</Link>}
                  </>
                ),
              }))}
          />
        </Card>
        <Card size="small" title={<h2 className="plain">{t('words')}</h2>}>
          <Descriptions column={1} items={words.map((w) => ({ key: w.en[0], label: w[in_][0], children: w[in_][1] }))} />
        </Card>
        <Card size="small" title={<h2 className="plain">{t('questions')}</h2>}>
          <Collapse ghost items={questions.map((q) => ({ key: q.en[0], label: q[in_][0], children: q[in_][1] }))} />
        </Card>
        <a href="/docs">{t('api')}</a>
      </Flex>
    </>
  )
}
